package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestFill(t *testing.T) {
	root := t.TempDir()
	from, volume := root+"/from", root+"/volume"
	write(t, from+"/deep/one", "1", 0o640)
	if err := os.Link(from+"/deep/one", from+"/two"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("deep/one", from+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(from, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(volume, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := fill(from, volume); err != nil {
		t.Fatal(err)
	}
	target, _ := os.Readlink(volume + "/link")
	state, err := os.Stat(volume)
	file, _ := os.Stat(volume + "/deep/one")
	other, _ := os.Stat(volume + "/two")
	if target != "deep/one" || err != nil || state.Mode().Perm() != 0o750 || file.Mode().Perm() != 0o640 || !os.SameFile(file, other) {
		t.Errorf("%q %v %v", target, state, err)
	}
	if bytes, err := measure(volume); bytes != 1 || err != nil {
		t.Errorf("%d %v", bytes, err)
	}
	// What a volume holds already is left as it is.
	write(t, from+"/three", "3", 0o600)
	if err := fill(from, volume); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(volume + "/three"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was filled again: %v", err)
	}
	if err := fill(root+"/nothing", t.TempDir()); err != nil {
		t.Errorf("an image without the directory: %v", err)
	}
	if err := erase(volume); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(volume); len(left) != 0 || err != nil {
		t.Errorf("%v %v", left, err)
	}
}

// A tar of entries, each with a content of three bytes where it is a file.
func archive(t *testing.T, entries ...tar.Header) *bytes.Buffer {
	t.Helper()
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for i := range entries {
		header := &entries[i]
		header.Mode, header.Uid, header.Gid = 0o600, os.Getuid(), os.Getgid()
		if header.Typeflag == tar.TypeReg {
			header.Size = 3
		}
		if err := writer.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := writer.Write([]byte("abc")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return &buffer
}

func TestUnpackRefuses(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
	link := tar.Header{Name: "out", Typeflag: tar.TypeSymlink, Linkname: "/etc"}
	cases := []struct {
		name    string
		entries []tar.Header
		code    string
	}{
		{"a way up", []tar.Header{file("../up")}, "invalid"},
		{"a link that leads out", []tar.Header{link, file("out/passwd")}, "invalid"},
		{"a file where a directory is", []tar.Header{file("there")}, "conflict"},
	}
	for _, one := range cases {
		directory := t.TempDir()
		write(t, directory+"/there/file", "kept", 0o600)
		err := unpack(directory, archive(t, one.entries...))
		if err == nil || codeOfFailure(err) != one.code {
			t.Errorf("%s: %v", one.name, err)
		}
	}
	half := archive(t, file("whole")).Bytes()[:514]
	if err := unpack(t.TempDir(), bytes.NewReader(half)); codeOfFailure(err) != "invalid" {
		t.Errorf("half an archive: %v", err)
	}
	if err := unpack(t.TempDir()+"/nowhere", archive(t)); codeOfFailure(err) != "not-found" {
		t.Errorf("no directory: %v", err)
	}
}
