package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Takes on the user, the groups, the environment and the directory of process 1. The agent of ECS starts an exec as root
// and with an environment of its own. User first: process 1 shows its environment to its own user alone.
func takeOn(process int) error {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return err
	}
	who := readWho(string(status))
	if who.uid != os.Getuid() || who.gid != os.Getgid() {
		if err := syscall.Setgroups(who.groups); err != nil {
			return fmt.Errorf("its groups: %w", err)
		}
		if err := syscall.Setresgid(who.gid, who.gid, who.gid); err != nil {
			return fmt.Errorf("its group: %w", err)
		}
		if err := syscall.Setresuid(who.uid, who.uid, who.uid); err != nil {
			return fmt.Errorf("its user: %w", err)
		}
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", process))
	if err != nil {
		return fmt.Errorf("its environment: %w", err)
	}
	os.Clearenv()
	for _, variable := range bytes.Split(environment, []byte{0}) {
		if name, value, isOne := strings.Cut(string(variable), "="); isOne && name != "" {
			_ = os.Setenv(name, value)
		}
	}
	if err := os.Chdir(fmt.Sprintf("/proc/%d/cwd", process)); err != nil {
		return fmt.Errorf("its directory: %w", err)
	}
	return nil
}

type who struct {
	uid, gid int
	groups   []int
}

// The effective ones: the second number of each line.
func readWho(status string) who {
	var found who
	for _, line := range strings.Split(status, "\n") {
		name, rest, _ := strings.Cut(line, ":")
		numbers := readNumbers(rest)
		switch {
		case name == "Uid" && len(numbers) > 1:
			found.uid = numbers[1]
		case name == "Gid" && len(numbers) > 1:
			found.gid = numbers[1]
		case name == "Groups":
			found.groups = numbers
		}
	}
	return found
}

func readNumbers(text string) []int {
	var numbers []int
	for _, word := range strings.Fields(text) {
		if number, err := strconv.Atoi(word); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}
