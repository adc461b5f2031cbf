package main

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

func control(file *os.File, request uintptr, argument unsafe.Pointer) error {
	_, _, failure := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(argument))
	if failure != 0 {
		return failure
	}
	return nil
}

// Nothing is translated, echoed or taken for a signal any more; nothing happens where it is no terminal.
func makeRaw(terminal *os.File) {
	var state syscall.Termios
	if control(terminal, syscall.TCGETS, unsafe.Pointer(&state)) != nil {
		return
	}
	state.Iflag &^= syscall.IGNBRK | syscall.BRKINT | syscall.PARMRK | syscall.ISTRIP | syscall.INLCR | syscall.IGNCR | syscall.ICRNL | syscall.IXON
	state.Oflag &^= syscall.OPOST
	state.Lflag &^= syscall.ECHO | syscall.ECHONL | syscall.ICANON | syscall.ISIG | syscall.IEXTEN
	state.Cflag = state.Cflag&^(syscall.CSIZE|syscall.PARENB) | syscall.CS8
	state.Cc[syscall.VMIN], state.Cc[syscall.VTIME] = 1, 0
	_ = control(terminal, syscall.TCSETS, unsafe.Pointer(&state))
}

// A terminal of the command's own: the side of this program, and the command's.
func openTerminal() (own, command *os.File, err error) {
	own, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	var number, locked uint32
	if err = control(own, syscall.TIOCGPTN, unsafe.Pointer(&number)); err == nil {
		err = control(own, syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	}
	if err == nil {
		command, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		own.Close()
		return nil, nil, err
	}
	return own, command, nil
}

func resize(terminal *os.File, now size) {
	sizes := [4]uint16{now.Rows, now.Columns}
	_ = control(terminal, syscall.TIOCSWINSZ, unsafe.Pointer(&sizes))
}
