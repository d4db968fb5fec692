package lab

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// packages of Debian and Ubuntu that bring what the lab calls.
var packages = map[string]string{
	"ip": "iproute2", "iptables": "iptables", "iptables-restore": "iptables", "nsenter": "util-linux", "setpriv": "util-linux", "script": "bsdutils",
	"sysctl": "procps", "kill": "procps", "tail": "coreutils", "openssl": "openssl", "git": "git", "go": "a Go toolchain from go.dev", "python3": "python3", "node": "Node.js", "npx": "Node.js",
}

// Check returns an error with the missing requirements of this computer and how to install them.
func Check() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("the lab makes network namespaces and mounts, which needs root: run it as root on a Linux computer or in a privileged container, for example `sudo -E npm run lab`")
	}
	if len(numbers()) == 0 {
		return fmt.Errorf("the variable LAB is %q: a lab has a number from 0 to %d", os.Getenv("LAB"), maxLabs-1)
	}
	var missing []string
	for _, program := range slices.Sorted(maps.Keys(packages)) {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, fmt.Sprintf("%s (%s)", program, packages[program]))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the lab lacks programs that it calls, install them first: %s", strings.Join(missing, ", "))
	}
	check := fmt.Sprintf("mflab-check-%d", os.Getpid())
	probe := strings.ReplaceAll(`ip netns add mflab-check && ip netns exec mflab-check sh -c 'ip link add check0 type veth peer name check1 && iptables -w -t nat -A POSTROUTING -j MASQUERADE && mount -t tmpfs none /mnt'; code=$?; ip netns del mflab-check; exit $code`, "mflab-check", check)
	if out, err := exec.Command("sh", "-c", probe).CombinedOutput(); err != nil {
		return fmt.Errorf("the kernel or the container's rights do not allow the lab to create network namespaces, veth links, NAT rules and mounts: use a Linux kernel with these, and a container with --privileged (%s)", strings.TrimSpace(string(out)))
	}
	return nil
}
