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
		if err := fill(arguments[i], arguments[i+1]); err != nil {
			return 1, fmt.Errorf("the volume at %s could not be filled: %w", arguments[i], err)
		}
	}
	return 0, nil
}

func fill(from, volume string) error {
	entries, err := os.ReadDir(volume)
	if err != nil || len(entries) > 0 {
		return err
	}
	state, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !state.IsDir()) {
		return nil
	}
	if err != nil {
		return err
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(packTo(writer, from+"/.")) }()
	return unpack(volume, reader)
}
