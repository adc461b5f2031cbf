package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

type stats struct {
	CPUSeconds  float64 `json:"cpuSeconds"`
	MemoryBytes int64   `json:"memoryBytes"`
	// Null without a limit.
	MemoryLimitBytes *int64 `json:"memoryLimitBytes"`
}

// What the container takes of the machine, as one line of JSON over the link.
func runStats([]string) (int, error) {
	l := openLink(os.Stdin, os.Stdout)
	found, err := readStats("/sys/fs/cgroup")
	if err != nil {
		l.fail("engine-failed", err)
	} else {
		text, _ := json.Marshal(found)
		_, _ = l.stream(1).Write(text)
		l.say("exit 0")
	}
	l.leave()
	return 0, nil
}

// No machine has so much: the older kind of control group says so where there is no limit.
const unlimited = int64(1) << 60

func readStats(root string) (stats, error) {
	if _, err := os.Stat(root + "/cgroup.controllers"); err == nil {
		return readUnified(root)
	}
	cpu, err := readNumber(root + "/cpuacct/cpuacct.usage")
	if err != nil {
		return stats{}, err
	}
	memory, err := readNumber(root + "/memory/memory.usage_in_bytes")
	if err != nil {
		return stats{}, err
	}
	cache, err := readField(root+"/memory/memory.stat", "total_inactive_file")
	if err != nil {
		return stats{}, err
	}
	limit, err := readNumber(root + "/memory/memory.limit_in_bytes")
	return stats{float64(cpu) / 1e9, without(memory, cache), limitOf(limit)}, err
}

func readUnified(root string) (stats, error) {
	cpu, err := readField(root+"/cpu.stat", "usage_usec")
	if err != nil {
		return stats{}, err
	}
	memory, err := readNumber(root + "/memory.current")
	if err != nil {
		return stats{}, err
	}
	cache, err := readField(root+"/memory.stat", "inactive_file")
	if err != nil {
		return stats{}, err
	}
	limit, err := readNumber(root + "/memory.max")
	return stats{float64(cpu) / 1e6, without(memory, cache), limitOf(limit)}, err
}

func without(all, part int64) int64 {
	if part > all {
		return 0
	}
	return all - part
}

func limitOf(bytes int64) *int64 {
	if bytes >= unlimited {
		return nil
	}
	return &bytes
}

func readNumber(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	word := strings.TrimSpace(string(text))
	if word == "max" {
		return unlimited, nil
	}
	return strconv.ParseInt(word, 10, 64)
}

func readField(path, name string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) == 2 && words[0] == name {
			return strconv.ParseInt(words[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s says nothing of %s", path, name)
}
