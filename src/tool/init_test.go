package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResolverText(t *testing.T) {
	orders := initOrders{Search: []string{"shop.r.internal"}, Options: []string{"ndots:1"}}
	cases := []struct{ name, before, after string }{
		{"as ECS writes it", "search ec2.internal\nnameserver 10.0.0.2\n", "nameserver 10.0.0.2\nsearch shop.r.internal\noptions ndots:1\n"},
		{"options of others stay", "nameserver 10.0.0.2\noptions ndots:0 edns0\n", "nameserver 10.0.0.2\nsearch shop.r.internal\noptions edns0 ndots:1\n"},
		{"written before", "nameserver 10.0.0.2\nsearch shop.r.internal\noptions ndots:1\n", "nameserver 10.0.0.2\nsearch shop.r.internal\noptions ndots:1\n"},
		{"empty", "", "search shop.r.internal\noptions ndots:1\n"},
	}
	for _, one := range cases {
		if got := resolverText(one.before, orders); got != one.after {
			t.Errorf("%s: %q", one.name, got)
		}
	}
	if got := resolverText("search a b\nnameserver 1.1.1.1\n", initOrders{}); got != "search a b\nnameserver 1.1.1.1\n" {
		t.Errorf("nothing ordered: %q", got)
	}
}

func TestHostsText(t *testing.T) {
	address := "192.0.2.1"
	lines := []hostLine{{&address, []string{"db", "db.old"}}, {nil, []string{"me"}}}
	own := func() (string, error) { return "10.0.0.9", nil }
	first, _ := hostsText("127.0.0.1 localhost", lines, own)
	again, _ := hostsText(first, lines, own)
	want := "127.0.0.1 localhost\n192.0.2.1 db db.old # of the rack\n10.0.0.9 me # of the rack\n"
	if first != want || again != want {
		t.Errorf("%q, then %q", first, again)
	}
}

func TestPrepare(t *testing.T) {
	root := t.TempDir()
	at := places{root + "/.rack/rack", root + "/run", root + "/resolv.conf", root + "/hosts"}
	for _, path := range []string{at.resolver, at.hosts} {
		if err := os.WriteFile(path, []byte("nameserver 10.0.0.2\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files := []fileOrder{{"tls/key", "FILE_1", 0o440, os.Getuid(), os.Getgid()}}
	values := func(name string) string { return map[string]string{"FILE_1": "c2VjcmV0"}[name] }
	for i := 0; i < 2; i++ {
		if err := prepare(at, initOrders{Files: files}, values); err != nil {
			t.Fatal(err)
		}
	}
	content, _ := os.ReadFile(filepath.Join(at.secrets, "tls/key"))
	state, err := os.Stat(filepath.Join(at.secrets, "tls/key"))
	if err != nil || string(content) != "secret" || state.Mode().Perm() != 0o440 {
		t.Errorf("%q %v %v", content, state, err)
	}
	if tool, err := os.Stat(at.tool); err != nil || tool.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", tool, err)
	}
	outside := initOrders{Files: []fileOrder{{"../etc/passwd", "FILE_1", 0o440, 0, 0}}}
	if err := prepare(at, outside, values); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Errorf("%v", err)
	}
	at.resolver = root + "/missing"
	if err := prepare(at, initOrders{}, values); err == nil || !strings.Contains(err.Error(), "names of the app") {
		t.Errorf("%v", err)
	}
}
