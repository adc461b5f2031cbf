package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Places of a task; a test has its own below a directory.
type places struct {
	tool, secrets, resolver, hosts string
}

var taskPlaces = places{"/.rack/rack", "/run/rack", "/etc/resolv.conf", "/etc/hosts"}

// What `RACK_INIT` says.
type initOrders struct {
	// In front of each name that has no dot; none leaves what is there.
	Search []string `json:"search"`
	// `ndots:1`; each replaces the one of its name.
	Options []string `json:"options"`
	// Lines of the hosts file.
	Hosts []hostLine `json:"hosts"`
	// Secret files, below `/run/rack`.
	Files []fileOrder `json:"files"`
}

type hostLine struct {
	// Null is the task's own.
	Address *string  `json:"address"`
	Names   []string `json:"names"`
}

type fileOrder struct {
	Path string `json:"path"`
	// Of this container's environment; its value is the content in base64.
	Variable string `json:"variable"`
	Mode     uint32 `json:"mode"`
	UID      int    `json:"uid"`
	GID      int    `json:"gid"`
}

// Prepares a task before its process starts. It may run again: what it writes replaces what it wrote.
func runInit([]string) (int, error) {
	var orders initOrders
	if err := json.Unmarshal([]byte(os.Getenv("RACK_INIT")), &orders); err != nil {
		return 1, fmt.Errorf("RACK_INIT holds no orders: %w", err)
	}
	return 0, prepare(taskPlaces, orders, os.Getenv)
}

func prepare(at places, orders initOrders, variable func(string) string) error {
	if err := copySelf(at.tool); err != nil {
		return fmt.Errorf("the tool could not be copied to %s: %w", at.tool, err)
	}
	if err := rewrite(at.resolver, func(text string) (string, error) { return resolverText(text, orders), nil }); err != nil {
		return fmt.Errorf("names of the app would not be found, since %s could not be written: %w", at.resolver, err)
	}
	withHosts := func(text string) (string, error) { return hostsText(text, orders.Hosts, ownAddress) }
	if err := rewrite(at.hosts, withHosts); err != nil {
		return fmt.Errorf("extra hosts would not be found, since %s could not be written: %w", at.hosts, err)
	}
	for _, file := range orders.Files {
		if err := placeFile(at.secrets, file, variable(file.Variable)); err != nil {
			return fmt.Errorf("the file %s could not be written: %w", file.Path, err)
		}
	}
	return nil
}

func copySelf(target string) error {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer self.Close()
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	// Beside it first: one that runs cannot be written into.
	half := target + ".new"
	copied, err := os.OpenFile(half, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(copied, self); err != nil {
		copied.Close()
		return err
	}
	if err := copied.Close(); err != nil {
		return err
	}
	if err := os.Chmod(half, 0o755); err != nil {
		return err
	}
	return os.Rename(half, target)
}

// In place: the file is a mount that all containers of the task share, and a rename would leave them the old one.
func rewrite(path string, change func(text string) (string, error)) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	after, err := change(string(before))
	if err != nil || after == string(before) {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(after); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func resolverText(text string, orders initOrders) string {
	var kept, options []string
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "options":
			options = append(options, words[1:]...)
		case (words[0] == "search" || words[0] == "domain") && len(orders.Search) > 0:
		default:
			kept = append(kept, line)
		}
	}
	if len(orders.Search) > 0 {
		kept = append(kept, "search "+strings.Join(orders.Search, " "))
	}
	if options = mergeOptions(options, orders.Options); len(options) > 0 {
		kept = append(kept, "options "+strings.Join(options, " "))
	}
	return strings.Join(kept, "\n") + "\n"
}

func mergeOptions(before, ordered []string) []string {
	name := func(option string) string { return strings.SplitN(option, ":", 2)[0] }
	var merged []string
	for _, option := range before {
		isReplaced := false
		for _, other := range ordered {
			isReplaced = isReplaced || name(other) == name(option)
		}
		if !isReplaced {
			merged = append(merged, option)
		}
	}
	return append(merged, ordered...)
}

const hostsMark = "# of the rack"

func hostsText(text string, lines []hostLine, own func() (string, error)) (string, error) {
	var kept strings.Builder
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if !strings.HasSuffix(strings.TrimSpace(line), hostsMark) {
			kept.WriteString(line + "\n")
		}
	}
	for _, line := range lines {
		address := line.Address
		if address == nil {
			found, err := own()
			if err != nil {
				return "", err
			}
			address = &found
		}
		fmt.Fprintf(&kept, "%s %s %s\n", *address, strings.Join(line.Names, " "), hostsMark)
	}
	return kept.String(), nil
}

func ownAddress() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		network, isNetwork := address.(*net.IPNet)
		if isNetwork && network.IP.IsGlobalUnicast() && network.IP.To4() != nil {
			return network.IP.String(), nil
		}
	}
	return "", fmt.Errorf("the task has no address")
}

func placeFile(root string, order fileOrder, encoded string) error {
	if !isLocal(order.Path) {
		return fmt.Errorf("it would lie outside of %s", root)
	}
	content, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("%s holds no base64", order.Variable)
	}
	path := filepath.Join(root, order.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// Nobody else reads it before it has its owner and mode.
	half := path + ".new"
	if err := os.WriteFile(half, content, 0o600); err != nil {
		return err
	}
	if err := os.Chown(half, order.UID, order.GID); err != nil {
		return err
	}
	if err := os.Chmod(half, os.FileMode(order.Mode&0o777)); err != nil {
		return err
	}
	return os.Rename(half, path)
}
