package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Stands there while sessions work in its volumes, and ends by itself.
func runWait(arguments []string) (int, error) {
	if len(arguments) != 1 {
		return 2, errors.New("wait takes how long")
	}
	longest, err := time.ParseDuration(arguments[0])
	if err != nil {
		return 2, err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	select {
	case <-signals:
	case <-time.After(longest):
	}
	return 0, nil
}

// What lies in each of the directories, in bytes, as one line of JSON over the link.
func runMeasure([]string) (int, error) {
	l := openLink(os.Stdin, os.Stdout)
	var directories []string
	if err := l.order(&directories); err != nil {
		return 1, err
	}
	sizes := make([]int64, len(directories))
	for i, directory := range directories {
		bytes, err := measure(directory)
		if err != nil {
			l.fail(codeOfFailure(err), err)
			l.leave()
			return 1, nil
		}
		sizes[i] = bytes
	}
	text, _ := json.Marshal(sizes)
	_, _ = l.stream(1).Write(text)
	l.say("exit 0")
	l.leave()
	return 0, nil
}

// As a disk would hold it: what has several names counts once.
func measure(directory string) (int64, error) {
	seen := map[fileKey]bool{}
	var bytes int64
	err := filepath.WalkDir(directory, func(found string, entry fs.DirEntry, err error) error {
		if err != nil {
			return gone(err, found != directory)
		}
		state, err := entry.Info()
		if err != nil {
			return gone(err, true)
		}
		status, isKnown := state.Sys().(*syscall.Stat_t)
		if !isKnown || !state.Mode().IsRegular() {
			return nil
		}
		key := fileKey{uint64(status.Dev), status.Ino}
		if !seen[key] {
			bytes += state.Size()
		}
		seen[key] = true
		return nil
	})
	return bytes, err
}

// Removes what lies in the directories, not themselves: a volume is mounted there.
func runErase([]string) (int, error) {
	l := openLink(os.Stdin, os.Stdout)
	var directories []string
	if err := l.order(&directories); err != nil {
		return 1, err
	}
	for _, directory := range directories {
		if err := erase(directory); err != nil {
			l.fail(codeOfFailure(err), err)
			l.leave()
			return 1, nil
		}
	}
	l.say("exit 0")
	l.leave()
	return 0, nil
}

func erase(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Pairs of a directory of the image and a new volume: as Docker does, an empty volume takes over what the image has there,
// with the directory's owner and mode.
func runFill(arguments []string) (int, error) {
	if len(arguments)%2 != 0 {
		return 2, errors.New("fill takes pairs of directories")
	}
	for i := 0; i < len(arguments); i += 2 {
		if err := fill(arguments[i], arguments[i+1], longestFill); err != nil {
			return 1, fmt.Errorf("the volume at %s could not be filled: %w", arguments[i], err)
		}
	}
	return 0, nil
}

const (
	// At the volume's root while it is filled, locked by whoever does it. What it says outlives a task that is stopped
	// meanwhile: the next one fills the volume again, over what is there.
	fillMark    = ".rack-fill"
	unfinished  = "filling\n"
	longestFill = 8 * time.Minute
	fillPause   = 200 * time.Millisecond
)

// Several tasks of a new volume start at the same time: one of them fills it, the others wait for that.
func fill(from, volume string, patience time.Duration) error {
	from, err := filepath.EvalSymlinks(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if state, err := os.Stat(from); err != nil || !state.IsDir() {
		return err
	}
	for end := time.Now().Add(patience); ; time.Sleep(fillPause) {
		isFilled, err := tryToFill(from, volume)
		if isFilled || err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("another task has been filling it for %s, and is not done", patience)
		}
	}
}

// False when another task has been at it meanwhile: the volume is to be looked at again.
func tryToFill(from, volume string) (bool, error) {
	if isNew, err := isToFill(volume); err != nil || !isNew {
		return true, err
	}
	// NFS locks only what is open for writing.
	mark, err := os.OpenFile(filepath.Join(volume, fillMark), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return false, unlessGone(err)
	}
	defer mark.Close()
	if isOurs, err := lockMark(mark); err != nil || !isOurs {
		return false, err
	}
	state, err := mark.Stat()
	if err != nil {
		return false, unlessGone(err)
	}
	if state.Size() == 0 {
		entries, err := os.ReadDir(volume)
		if err != nil {
			return false, err
		}
		if len(entries) > 1 {
			// Another has filled it between the look and the mark.
			return true, os.Remove(mark.Name())
		}
		if _, err := mark.WriteString(unfinished); err != nil {
			return false, err
		}
		if err := mark.Sync(); err != nil {
			return false, err
		}
	}
	if err := copyContent(from, volume); err != nil {
		return false, err
	}
	return true, os.Remove(mark.Name())
}

// What holds content without a mark had it before, or is filled.
func isToFill(volume string) (bool, error) {
	entries, err := os.ReadDir(volume)
	if err != nil {
		return false, err
	}
	for _, entry := range entries {
		if entry.Name() == fillMark && entry.Type().IsRegular() {
			return true, nil
		}
	}
	return len(entries) == 0, nil
}

// The lock counts while the mark is still there by its name: whoever had it before has removed it when done.
func lockMark(mark *os.File) (bool, error) {
	err := syscall.Flock(int(mark.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, unlessGone(err)
	}
	locked, err := mark.Stat()
	if err != nil {
		return false, unlessGone(err)
	}
	named, err := os.Lstat(mark.Name())
	if err != nil {
		return false, unlessGone(err)
	}
	return os.SameFile(locked, named), nil
}

// A mark that another machine has removed: NFS says so of what is open, too.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESTALE) {
		return nil
	}
	return err
}

func copyContent(from, volume string) error {
	reader, writer := io.Pipe()
	defer reader.Close()
	go func() { writer.CloseWithError(packTo(writer, from+"/.", fillMark)) }()
	return unpack(volume, reader)
}
