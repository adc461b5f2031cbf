package main

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type tarOrder struct {
	// `in`: what comes goes into a directory that is there. `out`: a file or directory under its own name, `DIR/.` what is
	// in it.
	Direction string `json:"direction"`
	Path      string `json:"path"`
}

// A tar over the link, into this container's files or out of them; as root, as whoever administers it.
func runTar([]string) (int, error) {
	l := openLink(os.Stdin, os.Stdout)
	var order tarOrder
	if err := l.order(&order); err != nil {
		return 1, err
	}
	var err error
	if order.Direction == "in" {
		err = unpack(order.Path, l.content())
	} else {
		err = packTo(l.stream(1), order.Path, "")
	}
	if err != nil {
		l.fail(codeOfFailure(err), err)
	} else {
		l.say("exit 0")
	}
	l.leave()
	return 0, nil
}

var (
	errNoTar     = errors.New("it is no whole tar")
	errNoFolder  = errors.New("it is no directory")
	errInTheWay  = errors.New("a directory and a file would replace each other")
	errNotInside = errors.New("an entry would lie outside")
)

// Codes of the rack.
func codeOfFailure(err error) string {
	switch {
	case errors.Is(err, errNoTar), errors.Is(err, errNotInside), errors.Is(err, tar.ErrHeader):
		return "invalid"
	case errors.Is(err, errNoFolder), errors.Is(err, errInTheWay), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return "conflict"
	case errors.Is(err, fs.ErrNotExist):
		return "not-found"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "disk-full"
	}
	return "engine-failed"
}

func unpack(directory string, content io.Reader) error {
	state, err := os.Stat(directory)
	if err != nil {
		return err
	}
	if !state.IsDir() {
		return fmt.Errorf("%s: %w", directory, errNoFolder)
	}
	root, err := filepath.EvalSymlinks(directory)
	if err != nil {
		return err
	}
	if err := touch(root); err != nil {
		return err
	}
	reader := tar.NewReader(content)
	modified := map[string]time.Time{}
	for {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%w (%s)", errNoTar, err)
		}
		target, err := place(root, header, reader)
		if err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
		if header.Typeflag == tar.TypeDir {
			modified[target] = header.ModTime
		}
	}
	_, err = io.Copy(io.Discard, content)
	// At the end: what was placed in them has changed their times.
	for folder, at := range modified {
		_ = os.Chtimes(folder, at, at)
	}
	return err
}

// A read-only file system is told also where the archive holds nothing.
func touch(directory string) error {
	const writable = 2
	if err := syscall.Access(directory, writable); errors.Is(err, syscall.EROFS) {
		return &fs.PathError{Op: "write", Path: directory, Err: err}
	}
	return nil
}

func localName(name string) string {
	name = strings.TrimLeft(path.Clean(name), "/")
	if name == "" {
		return "."
	}
	return name
}

// Whether a path stays below where it begins.
func isLocal(name string) bool {
	cleaned := path.Clean(name)
	return name != "" && !path.IsAbs(name) && cleaned != ".." && !strings.HasPrefix(cleaned, "../")
}

// Where an entry belongs; links that are there may not lead it out. Nothing is made here: what is refused has done nothing.
func inside(root, name string) (string, error) {
	local := localName(name)
	if !isLocal(local) {
		return "", errNotInside
	}
	if local == "." {
		return root, nil
	}
	// As much of its way as is there, and what is still to be made below that.
	there, missing := filepath.Join(root, filepath.Dir(local)), ""
	for {
		_, err := os.Lstat(there)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return "", err
		}
		there, missing = filepath.Dir(there), filepath.Join(filepath.Base(there), missing)
	}
	real, err := filepath.EvalSymlinks(there)
	if errors.Is(err, fs.ErrNotExist) {
		// A link to what is not there.
		return "", fmt.Errorf("%s: %w", there, errNoFolder)
	}
	if err != nil {
		return "", err
	}
	if real != root && !strings.HasPrefix(real, strings.TrimRight(root, "/")+"/") {
		return "", errNotInside
	}
	return filepath.Join(real, missing, filepath.Base(local)), nil
}

// Gives where it was placed.
func place(root string, header *tar.Header, content io.Reader) (string, error) {
	target, err := inside(root, header.Name)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	isFolder := header.Typeflag == tar.TypeDir
	if before, err := os.Lstat(target); err == nil && target != root {
		if before.IsDir() != isFolder {
			return "", errInTheWay
		}
		if !isFolder {
			if err := os.Remove(target); err != nil {
				return "", err
			}
		}
	}
	if err := create(root, target, header, content); err != nil {
		return "", err
	}
	return target, setAttributes(target, header)
}

func create(root, target string, header *tar.Header, content io.Reader) error {
	switch header.Typeflag {
	case tar.TypeDir:
		if err := os.Mkdir(target, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	case tar.TypeSymlink:
		return os.Symlink(header.Linkname, target)
	case tar.TypeLink:
		first, err := inside(root, header.Linkname)
		if err != nil {
			return err
		}
		return os.Link(first, target)
	case tar.TypeReg:
		return createFile(target, content)
	}
	return nil
}

func createFile(target string, content io.Reader) error {
	file, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, content); err != nil {
		file.Close()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%w (%s)", errNoTar, err)
		}
		return err
	}
	return file.Close()
}

func setAttributes(target string, header *tar.Header) error {
	if header.Typeflag != tar.TypeDir && header.Typeflag != tar.TypeReg && header.Typeflag != tar.TypeSymlink {
		return nil
	}
	if err := os.Lchown(target, header.Uid, header.Gid); err != nil {
		return err
	}
	if header.Typeflag == tar.TypeSymlink {
		return nil
	}
	if err := os.Chmod(target, header.FileInfo().Mode()); err != nil {
		return err
	}
	return os.Chtimes(target, header.ModTime, header.ModTime)
}

// All but what lies at `from` under the one name, where there is one.
func packTo(target io.Writer, from, without string) error {
	isContent := from == "." || strings.HasSuffix(from, "/.")
	state, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if isContent && !state.IsDir() {
		return fmt.Errorf("%s: %w", from, errNoFolder)
	}
	buffered := bufio.NewWriterSize(target, 32*1024)
	packer := packer{tar.NewWriter(buffered), map[fileKey]string{}, without}
	base := filepath.Base(from)
	if isContent {
		base = "."
		// What a link leads to has the content, not the link.
		if from, err = filepath.EvalSymlinks(from); err != nil {
			return err
		}
	}
	if err := packer.walk(filepath.Clean(from), base); err != nil {
		return err
	}
	if err := packer.writer.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

type fileKey struct{ device, inode uint64 }

type packer struct {
	writer *tar.Writer
	// Files with several names, by the first of them.
	seen map[fileKey]string
	// A name that is left out.
	without string
}

func (p packer) walk(from, base string) error {
	return filepath.WalkDir(from, func(found string, entry fs.DirEntry, err error) error {
		if err != nil {
			return gone(err, found != from)
		}
		below, err := filepath.Rel(from, found)
		if err != nil {
			return err
		}
		if p.without != "" && below == p.without {
			return nil
		}
		name := base
		if below != "." {
			name = base + "/" + below
		}
		return gone(p.add(found, name), found != from)
	})
}

// What goes while a directory is read is not in it.
func gone(err error, isBelow bool) error {
	if isBelow && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (p packer) add(found, name string) error {
	state, err := os.Lstat(found)
	if err != nil {
		return err
	}
	if state.Mode()&fs.ModeSocket != 0 {
		return nil
	}
	target := ""
	if state.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(found); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(state, target)
	if err != nil {
		return err
	}
	header.Name, header.Uname, header.Gname = name, "", ""
	if state.IsDir() {
		header.Name += "/"
	}
	return p.write(found, header, state)
}

func (p packer) write(found string, header *tar.Header, state fs.FileInfo) error {
	status, isKnown := state.Sys().(*syscall.Stat_t)
	if isKnown && header.Typeflag == tar.TypeReg && status.Nlink > 1 {
		key := fileKey{uint64(status.Dev), status.Ino}
		if first, isThere := p.seen[key]; isThere {
			header.Typeflag, header.Linkname, header.Size = tar.TypeLink, first, 0
		} else {
			p.seen[key] = header.Name
		}
	}
	if header.Typeflag != tar.TypeReg {
		return p.writer.WriteHeader(header)
	}
	file, err := os.Open(found)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := p.writer.WriteHeader(header); err != nil {
		return err
	}
	written, err := io.Copy(p.writer, io.LimitReader(file, header.Size))
	if err == nil && written < header.Size {
		// It became shorter meanwhile: what is missing is zeros, as tar does.
		_, err = io.CopyN(p.writer, zeros{}, header.Size-written)
	}
	return err
}

type zeros struct{}

func (zeros) Read(target []byte) (int, error) {
	for i := range target {
		target[i] = 0
	}
	return len(target), nil
}
