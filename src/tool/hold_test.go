package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const heldAt = "RACK_TEST_HOLD"

// The tests start this program as `hold`, with process 1's part: what its command leaves behind becomes its own.
func TestMain(m *testing.M) {
	address := os.Getenv(heldAt)
	if address == "" {
		os.Exit(m.Run())
	}
	const setChildSubreaper = 36
	if _, _, failure := syscall.Syscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); failure != 0 {
		panic(failure)
	}
	code, err := holdAt(address, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

type held struct {
	t          *testing.T
	process    *exec.Cmd
	connection net.Conn
	lines      *bufio.Scanner
}

var holds atomic.Int32

// A script that somebody has joined.
func hold(t *testing.T, script string) *held {
	t.Helper()
	address := fmt.Sprintf("@rack-hold-%d-%d", os.Getpid(), holds.Add(1))
	process := exec.Command(os.Args[0], "-input", "--", "sh", "-c", script)
	process.Env = append(os.Environ(), heldAt+"="+address)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	h := &held{t: t, process: process}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_, _ = process.Process.Wait()
	})
	h.until("somebody can join", func() bool {
		connection, err := net.Dial("unix", address)
		h.connection = connection
		return err == nil
	})
	t.Cleanup(func() { h.connection.Close() })
	_ = h.connection.SetDeadline(time.Now().Add(10 * time.Second))
	h.lines = bufio.NewScanner(h.connection)
	h.say("order " + base64.StdEncoding.EncodeToString([]byte(`{"rows":24,"columns":80}`)))
	return h
}

func (h *held) until(what string, isSo func() bool) {
	h.t.Helper()
	for end := time.Now().Add(5 * time.Second); !isSo(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("never: %s", what)
		}
	}
}

func (h *held) say(line string) { fmt.Fprintln(h.connection, line) }

// What the command printed next, or its end.
func (h *held) next() string {
	for h.lines.Scan() {
		word, rest, _ := strings.Cut(h.lines.Text(), " ")
		switch word {
		case "1", "2":
			return strings.TrimSpace(string(decode(rest)))
		case "exit":
			return h.lines.Text()
		}
	}
	return fmt.Sprintf("hung up (%v)", h.lines.Err())
}

// A task is stopped by the signal that its image names, which may be any.
func TestHoldForwardsSignals(t *testing.T) {
	cases := []struct {
		name   string
		signal syscall.Signal
	}{
		{"TERM", syscall.SIGTERM},
		{"INT", syscall.SIGINT},
		{"QUIT", syscall.SIGQUIT},
		{"HUP", syscall.SIGHUP},
		{"USR1", syscall.SIGUSR1},
		{"USR2", syscall.SIGUSR2},
		{"ABRT", syscall.SIGABRT},
		{"WINCH", syscall.SIGWINCH},
		{"PWR", syscall.SIGPWR},
		{"RTMIN+3", 37},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			script := fmt.Sprintf("exec 2>/dev/null; trap 'echo heard; exit 7' %d; echo up; for i in $(seq 500); do sleep 0.02; done", one.signal)
			h := hold(t, script)
			if said := h.next(); said != "up" {
				t.Fatal(said)
			}
			if err := h.process.Process.Signal(one.signal); err != nil {
				t.Fatal(err)
			}
			if said := h.next(); said != "heard" {
				t.Fatal(said)
			}
			if said := h.next(); said != "exit 7" {
				t.Error(said)
			}
		})
	}
}

// They are of the tool's own running, and would end a command that does not know them.
func TestHoldKeepsItsOwnSignals(t *testing.T) {
	h := hold(t, "trap 'echo heard' CHLD URG PIPE; echo up; read line; exit 3")
	if said := h.next(); said != "up" {
		t.Fatal(said)
	}
	for _, signal := range []syscall.Signal{syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE} {
		if err := h.process.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	h.say("0 " + base64.StdEncoding.EncodeToString([]byte("\n")))
	if said := h.next(); said != "exit 3" {
		t.Error(said)
	}
}

func TestHoldReapsOrphans(t *testing.T) {
	cases := []struct{ name, script, end string }{
		{"while the command runs", `(sh -c 'echo $$' &); read line; exit 5`, "exit 5"},
		{"of a command that a signal ends", `(sh -c 'echo $$' &); read line; kill -9 $$`, "exit 137"},
		{"many, at its end", `(sh -c 'echo $$' &); read line; for i in 1 2 3 4 5 6 7 8 9; do (true &); done; exit 6`, "exit 6"},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			h := hold(t, one.script)
			said := h.next()
			orphan, err := strconv.Atoi(said)
			if err != nil {
				t.Fatal(said)
			}
			h.until("the orphan is taken", func() bool { return syscall.Kill(orphan, 0) == syscall.ESRCH })
			h.say("0 " + base64.StdEncoding.EncodeToString([]byte("\n")))
			if said := h.next(); said != one.end {
				t.Error(said)
			}
		})
	}
}
