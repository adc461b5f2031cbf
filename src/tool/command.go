package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A command that is run for a link.
type commandOrder struct {
	Command []string `json:"command"`
	TTY     bool     `json:"tty"`
	// False has nothing to read.
	Input bool `json:"input"`
	size
}

const (
	endGrace = 2 * time.Second
	// What a command has left behind may hold its output open for ever.
	idleOutput = time.Second
)

// Where output goes besides the link; nil for nowhere.
type copies struct{ out, err io.Writer }

// Runs a command to its end, or until nobody is there any more; gives its exit code.
func runCommand(l *link, order commandOrder, more copies, stop <-chan syscall.Signal) int {
	command, err := newCommand(order)
	if err != nil {
		_, _ = io.WriteString(l.stream(2), "rack: "+err.Error()+"\n")
		return codeOfStart(err)
	}
	running := &running{link: l, command: command}
	if order.TTY {
		err = running.startOnTerminal(order.size, more)
	} else {
		err = running.startOnPipes(order.Input, more)
	}
	if err != nil {
		_, _ = io.WriteString(l.stream(2), "rack: "+err.Error()+"\n")
		return codeOfStart(err)
	}
	return running.wait(stop)
}

func newCommand(order commandOrder) (*exec.Cmd, error) {
	if len(order.Command) == 0 {
		return nil, errors.New("no command was named")
	}
	path, err := exec.LookPath(order.Command[0])
	if err != nil {
		return nil, err
	}
	command := exec.Command(path, order.Command[1:]...)
	command.Args[0] = order.Command[0]
	command.Env = os.Environ()
	if order.TTY && os.Getenv("TERM") == "" {
		command.Env = append(command.Env, "TERM=xterm")
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: order.TTY}
	return command, nil
}

// As shells say it.
func codeOfStart(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}

type running struct {
	link    *link
	command *exec.Cmd
	outputs sync.WaitGroup
	// When something came out the last time, in nanoseconds; 0 while it is on its way.
	lastOutput atomic.Int64
}

func (r *running) startOnTerminal(first size, more copies) error {
	own, theirs, err := openTerminal()
	if err != nil {
		return err
	}
	resize(own, first)
	r.command.Stdin, r.command.Stdout, r.command.Stderr = theirs, theirs, theirs
	err = r.command.Start()
	theirs.Close()
	if err != nil {
		own.Close()
		return err
	}
	r.carry(own, 1, more.out)
	go func() {
		for now := range r.link.sizes {
			resize(own, now)
		}
	}()
	go func() {
		if _, err := io.Copy(own, r.link.content()); err == nil {
			// A terminal has no end: the character that stands for it.
			_, _ = own.Write([]byte{4})
		}
	}()
	return nil
}

func (r *running) startOnPipes(hasInput bool, more copies) error {
	var input io.WriteCloser
	var err error
	if hasInput {
		if input, err = r.command.StdinPipe(); err != nil {
			return err
		}
	}
	// Pipes of our own: those of the package are closed as soon as the command ends, with what is still in them.
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	errRead, errWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	r.command.Stdout, r.command.Stderr = outWrite, errWrite
	err = r.command.Start()
	outWrite.Close()
	errWrite.Close()
	if err != nil {
		return err
	}
	r.carry(outRead, 1, more.out)
	r.carry(errRead, 2, more.err)
	go func() {
		for now := range r.link.sizes {
			_ = now
		}
	}()
	if hasInput {
		go func() {
			_, _ = io.Copy(input, r.link.content())
			input.Close()
			// What a command does not read is taken from whoever sends it.
			_, _ = io.Copy(io.Discard, r.link.content())
		}()
	}
	return nil
}

func (r *running) carry(from *os.File, number int, more io.Writer) {
	r.outputs.Add(1)
	r.lastOutput.Store(time.Now().UnixNano())
	target := r.link.stream(number)
	go func() {
		defer r.outputs.Done()
		defer from.Close()
		piece := make([]byte, pieceBytes)
		isRead := true
		for {
			count, err := from.Read(piece)
			r.lastOutput.Store(0)
			if count > 0 && more != nil {
				_, _ = more.Write(piece[:count])
			}
			if count > 0 && isRead {
				_, failure := target.Write(piece[:count])
				isRead = failure == nil
			}
			r.lastOutput.Store(time.Now().UnixNano())
			if err != nil {
				return
			}
		}
	}()
}

func (r *running) wait(stop <-chan syscall.Signal) int {
	ended := make(chan syscall.WaitStatus, 1)
	go reap(r.command.Process.Pid, ended)
	for {
		select {
		case status := <-ended:
			r.waitForOutput()
			return codeOfEnd(status)
		case signal := <-stop:
			r.signal(signal)
		case <-r.link.gone:
			r.signal(syscall.SIGHUP)
			r.signal(syscall.SIGTERM)
			select {
			case status := <-ended:
				return codeOfEnd(status)
			case <-time.After(endGrace):
				r.signal(syscall.SIGKILL)
				return codeOfEnd(<-ended)
			}
		}
	}
}

// Takes all that ends, and tells of the command. Whoever is process 1 has to: what the command leaves behind becomes its
// child. The package's own `Wait` has no part in it, since one of the two would miss what the other has taken.
func reap(command int, ended chan<- syscall.WaitStatus) {
	for {
		var status syscall.WaitStatus
		process, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			// Nothing is left.
			return
		case process == command:
			ended <- status
		}
	}
}

// All that it has started, as far as it stayed together.
func (r *running) signal(signal syscall.Signal) {
	_ = syscall.Kill(-r.command.Process.Pid, signal)
}

func (r *running) waitForOutput() {
	done := make(chan struct{})
	go func() {
		r.outputs.Wait()
		close(done)
	}()
	for {
		select {
		case <-done:
			return
		case <-time.After(idleOutput / 4):
			last := r.lastOutput.Load()
			if last != 0 && time.Since(time.Unix(0, last)) > idleOutput {
				return
			}
		}
	}
}

func codeOfEnd(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
