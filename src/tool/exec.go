package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Runs a command beside process 1, as it would run it itself.
func runExec([]string) (int, error) {
	// The session that ends hangs up; the link ends with it, and the command after that.
	signal.Ignore(syscall.SIGHUP)
	l := openLink(os.Stdin, os.Stdout)
	var order commandOrder
	if err := l.order(&order); err != nil {
		return 1, err
	}
	if err := takeOn(1); err != nil {
		l.fail("engine-failed", fmt.Errorf("what process 1 has could not be taken on: %w", err))
		return 1, nil
	}
	code := runCommand(l, order, copies{}, nil)
	l.say(fmt.Sprintf("exit %d", code))
	l.leave()
	return code, nil
}
