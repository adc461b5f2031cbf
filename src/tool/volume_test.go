package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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
	if err := fill(from, volume, time.Second); err != nil {
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
	if err := fill(from, volume, time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(volume + "/three"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was filled again: %v", err)
	}
	if err := fill(root+"/nothing", t.TempDir(), time.Second); err != nil {
		t.Errorf("an image without the directory: %v", err)
	}
	if err := erase(volume); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(volume); len(left) != 0 || err != nil {
		t.Errorf("%v %v", left, err)
	}
}

// What a task finds in a volume that others fill, have filled, or have left half filled.
func TestFillBesideOthers(t *testing.T) {
	const mark, unfinished = "/.rack-fill", "filling\n"
	cases := []struct {
		name   string
		before map[string]string
		after  string
	}{
		{"nothing yet", nil, "one=new two=new"},
		{"content from before", map[string]string{"/one": "old"}, "one=old"},
		{"a fill that was stopped", map[string]string{mark: unfinished, "/one": "o"}, "one=new two=new"},
		{"a fill that was stopped at its beginning", map[string]string{mark: ""}, "one=new two=new"},
		{"a mark that came too late", map[string]string{mark: "", "/one": "old"}, "one=old"},
	}
	from := t.TempDir()
	write(t, from+"/one", "new", 0o600)
	write(t, from+"/two", "new", 0o600)
	write(t, from+mark, "no content", 0o600)
	for _, one := range cases {
		volume := t.TempDir()
		for name, content := range one.before {
			write(t, volume+name, content, 0o600)
		}
		if err := fill(from, volume, time.Second); err != nil {
			t.Errorf("%s: %v", one.name, err)
		}
		if after := contents(t, volume); after != one.after {
			t.Errorf("%s: %s", one.name, after)
		}
	}
}

func contents(t *testing.T, directory string) string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		content, _ := os.ReadFile(filepath.Join(directory, entry.Name()))
		found = append(found, entry.Name()+"="+string(content))
	}
	return strings.Join(found, " ")
}

func TestFillSideBySide(t *testing.T) {
	const files, tasks = 300, 4
	from, volume := t.TempDir(), t.TempDir()
	for i := 0; i < files; i++ {
		write(t, from+"/deep/"+strconv.Itoa(i), "content", 0o600)
	}
	var all sync.WaitGroup
	for i := 0; i < tasks; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := fill(from, volume, time.Minute); err != nil {
				t.Errorf("a task fails: %v", err)
			}
			// From here its process runs.
			if entries, err := os.ReadDir(volume + "/deep"); len(entries) != files || err != nil {
				t.Errorf("a process starts on %d of %d files: %v", len(entries), files, err)
			}
		}()
	}
	all.Wait()
	if entries, err := os.ReadDir(volume); len(entries) != 1 || err != nil {
		t.Errorf("%v %v", entries, err)
	}
}

func TestFillWaitsForAnother(t *testing.T) {
	from, volume := t.TempDir(), t.TempDir()
	write(t, from+"/one", "new", 0o600)
	write(t, volume+"/.rack-fill", "filling\n", 0o600)
	mark, err := os.OpenFile(volume+"/.rack-fill", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer mark.Close()
	if err := syscall.Flock(int(mark.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := fill(from, volume, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "another task") {
		t.Errorf("a fill of another that does not end: %v", err)
	}
	waiting := make(chan error)
	go func() { waiting <- fill(from, volume, time.Minute) }()
	write(t, volume+"/one", "of the other", 0o600)
	if err := os.Remove(mark.Name()); err != nil {
		t.Fatal(err)
	}
	mark.Close()
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	if after := contents(t, volume); after != "one=of the other" {
		t.Errorf("after the other: %s", after)
	}
}

// The image's path may be a link, as `/var/run` is; one inside is no way out of the volume.
func TestVolumesAndLinks(t *testing.T) {
	root, volume := t.TempDir(), t.TempDir()
	write(t, root+"/run/one", "1", 0o600)
	_ = os.Symlink("run", root+"/link")
	if err := fill(root+"/link", volume, time.Second); err != nil || contents(t, volume) != "one=1" {
		t.Errorf("%v %s", err, contents(t, volume))
	}
	_ = os.Symlink(root+"/run", volume+"/out")
	if bytes, err := measure(volume); bytes != 1 || err != nil {
		t.Errorf("%d %v", bytes, err)
	}
	if err := erase(volume); err != nil || contents(t, root+"/run") != "one=1" {
		t.Errorf("%v %s", err, contents(t, root+"/run"))
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

// What is refused has made nothing before.
func TestUnpackMakesNothingOutside(t *testing.T) {
	outside := t.TempDir()
	if err := os.Mkdir(outside+"/there", 0o700); err != nil {
		t.Fatal(err)
	}
	link := func(to string) tar.Header { return tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: to} }
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
	cases := []struct {
		name    string
		entries []tar.Header
		code    string
	}{
		{"a file in a new directory", []tar.Header{link(outside), file("x/new/f")}, "invalid"},
		{"a new directory", []tar.Header{link(outside), {Name: "x/new/deep/", Typeflag: tar.TypeDir}}, "invalid"},
		{"a directory that is there", []tar.Header{link(outside), file("x/there/new/f")}, "invalid"},
		{"a hard link's other name", []tar.Header{link(outside), {Name: "l", Typeflag: tar.TypeLink, Linkname: "x/new/f"}}, "invalid"},
		{"a link to nowhere", []tar.Header{link(outside + "/new"), file("x/deep/f")}, "conflict"},
	}
	for _, one := range cases {
		err := unpack(t.TempDir(), archive(t, one.entries...))
		if err == nil || codeOfFailure(err) != one.code {
			t.Errorf("%s: %v", one.name, err)
		}
		if after := contents(t, outside) + contents(t, outside+"/there"); after != "there=" {
			t.Errorf("%s: it made %s", one.name, after)
			_ = os.RemoveAll(outside + "/new")
			_ = os.RemoveAll(outside + "/there/new")
		}
	}
}

// A directory's time is set at the end: where it was placed, whatever its name leads to by then.
func TestUnpackTimesOfFolders(t *testing.T) {
	outside, directory := t.TempDir(), t.TempDir()
	_, _ = os.Mkdir(outside+"/d", 0o700), os.Mkdir(directory+"/sub", 0o700)
	link := func(to string) tar.Header { return tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: to} }
	old := time.Unix(1_000_000_000, 0)
	folder := tar.Header{Name: "x/d/", Typeflag: tar.TypeDir, ModTime: old}
	if err := unpack(directory, archive(t, link("sub"), folder, link(outside))); err != nil {
		t.Fatal(err)
	}
	inside, _ := os.Stat(directory + "/sub/d")
	beyond, _ := os.Stat(outside + "/d")
	if !inside.ModTime().Equal(old) || beyond.ModTime().Equal(old) {
		t.Errorf("%v %v", inside.ModTime(), beyond.ModTime())
	}
}
