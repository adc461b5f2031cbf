package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// In the network of the task, which is its own; no file, so that any user may have it.
const holdAddress = "@rack-hold"

const patience = 60 * time.Second

// Process 1 of a one-off that somebody is attached to: the command starts when `join` has come, and ends with it.
func runHold(arguments []string) (int, error) { return holdAt(holdAddress, arguments) }

func holdAt(address string, arguments []string) (int, error) {
	flags := flag.NewFlagSet("hold", flag.ContinueOnError)
	isTTY := flags.Bool("tty", false, "")
	hasInput := flags.Bool("input", false, "")
	timeout := flags.Duration("timeout", 0, "")
	if err := flags.Parse(arguments); err != nil {
		return 2, err
	}
	order := commandOrder{Command: flags.Args(), TTY: *isTTY, Input: *hasInput}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded()...)
	joined, err := accept(address, signals)
	if err != nil {
		return 143, err
	}
	defer joined.Close()
	l := openLink(joined, joined)
	if err := l.order(&order.size); err != nil {
		return 1, err
	}
	code := runCommand(l, order, copies{os.Stdout, os.Stderr}, stops(signals, *timeout))
	l.say(fmt.Sprintf("exit %d", code))
	l.leave()
	return code, nil
}

// All that can be heard: an image names any of them for its stop. Not those that the tool's own running makes.
func forwarded() []os.Signal {
	const last = 64
	var all []os.Signal
	for number := syscall.Signal(1); number <= last; number++ {
		switch number {
		case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE:
		default:
			all = append(all, number)
		}
	}
	return all
}

func accept(address string, signals <-chan os.Signal) (net.Conn, error) {
	listener, err := net.Listen("unix", address)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if connection, err := listener.Accept(); err == nil {
			accepted <- connection
		}
	}()
	select {
	case connection := <-accepted:
		return connection, nil
	case <-signals:
		return nil, errors.New("it was stopped before anybody joined")
	case <-time.After(patience):
		return nil, errors.New("nobody joined")
	}
}

// What the command is told: what the tool is, and its end when its time is over.
func stops(signals <-chan os.Signal, timeout time.Duration) <-chan syscall.Signal {
	stop := make(chan syscall.Signal, 4)
	go func() {
		for one := range signals {
			stop <- one.(syscall.Signal)
		}
	}()
	if timeout > 0 {
		time.AfterFunc(timeout, func() { stop <- syscall.SIGKILL })
	}
	return stop
}

// Carries a session to `hold` and back.
func runJoin([]string) (int, error) {
	signal.Ignore(syscall.SIGHUP)
	makeRaw(os.Stdin)
	connection, err := net.Dial("unix", holdAddress)
	if err != nil {
		return 1, err
	}
	go func() {
		_, _ = io.Copy(connection, os.Stdin)
		// The other end is gone: the command is not to outlive it.
		connection.Close()
	}()
	_, err = io.Copy(os.Stdout, connection)
	return 0, err
}
