// Package network creates the hosts of a lab: Linux network namespaces that are connected by routed links.
//
//	world := network.New(id, "world")          // a router that represents the network between the meshes
//	node := network.New(id, "east")
//	node.Create(); node.Attach(world, "198.18.0.11")
//
// There is no bridge: each link is a point-to-point route, so two meshes may use the same private addresses without
// reaching each other.
package network

import (
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"strings"
)

const prefix = "mflab"

// gateway is the next hop of every host. No host has this address: each host has a static neighbour entry for its
// router.
const (
	gateway       = "169.254.1.1"
	routerAddress = "02:00:00:00:00:01"
)

// Host is one network namespace.
type Host string

// New names a host of the lab with this number.
func New(id int, name string) Host { return Host(fmt.Sprintf("%s%d-%s", prefix, id, name)) }

// Of lists the hosts that exist for the lab with this number.
func Of(id int) []Host {
	entries, _ := os.ReadDir("/run/netns")
	var hosts []Host
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), fmt.Sprintf("%s%d-", prefix, id)) {
			hosts = append(hosts, Host(entry.Name()))
		}
	}
	return hosts
}

// Path is where the kernel shows the namespace.
func (h Host) Path() string { return "/run/netns/" + string(h) }

// Command runs a program on the host.
func (h Host) Command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=" + h.Path(), "--"}, args...)...)
}

// Create creates the host: it forwards packets, and any user may listen on low ports, as in a pod.
func (h Host) Create() error {
	return run(
		fmt.Sprintf("ip netns add %s", h),
		fmt.Sprintf("ip -n %s link set lo up", h),
		fmt.Sprintf("ip netns exec %s sysctl -qw net.ipv4.ip_forward=1 net.ipv4.ip_unprivileged_port_start=0", h),
	)
}

// Attach joins the host to a router with one address.
func (h Host) Attach(router Host, address string) error {
	link := linkName(h)
	return run(
		fmt.Sprintf("ip link add %s netns %s address %s type veth peer name eth0 netns %s", link, router, routerAddress, h),
		fmt.Sprintf("ip -n %s addr add %s/32 dev eth0", h, address),
		fmt.Sprintf("ip -n %s link set eth0 up", h),
		fmt.Sprintf("ip -n %s route add %s dev eth0 scope link", h, gateway),
		fmt.Sprintf("ip -n %s neigh add %s lladdr %s dev eth0 nud permanent", h, gateway, routerAddress),
		fmt.Sprintf("ip -n %s route add default via %s dev eth0", h, gateway),
		fmt.Sprintf("ip -n %s link set %s up", router, link),
		fmt.Sprintf("ip -n %s route replace %s/32 dev %s", router, address, link),
	)
}

// Route sends a public address to this host, whose own address outside is the next hop.
func (h Host) Route(router Host, public, own string) error {
	return run(fmt.Sprintf("ip -n %s route replace %s/32 via %s dev %s onlink", router, public, own, linkName(h)))
}

// Unroute makes this address unreachable: packets are dropped, without an error.
func (h Host) Unroute(router Host, address string) error {
	return run(fmt.Sprintf("ip -n %s route replace blackhole %s/32", router, address))
}

// direct is the name of the link between two hosts that Join connects.
const direct = "direct"

// Join connects two hosts without a router between them, so that each reaches the private network behind the other one.
func Join(one Host, behindOne string, other Host, behindOther string) error {
	return run(
		fmt.Sprintf("ip link add %[1]s netns %[2]s type veth peer name %[1]s netns %[3]s", direct, one, other),
		fmt.Sprintf("ip -n %s addr add 169.254.2.1/30 dev %s", one, direct),
		fmt.Sprintf("ip -n %s addr add 169.254.2.2/30 dev %s", other, direct),
		fmt.Sprintf("ip -n %s link set %s up", one, direct),
		fmt.Sprintf("ip -n %s link set %s up", other, direct),
		fmt.Sprintf("ip -n %s route add %s via 169.254.2.2", one, behindOther),
		fmt.Sprintf("ip -n %s route add %s via 169.254.2.1", other, behindOne),
	)
}

// Detach takes away the links that Attach and Join created, at once: the kernel removes those of an ended host later.
func (h Host) Detach(router, joined Host) {
	_ = exec.Command("ip", "-n", string(router), "link", "del", linkName(h)).Run()
	_ = exec.Command("ip", "-n", string(joined), "link", "del", direct).Run()
}

// Isolate drops every packet from and to this host, without an error, as a power failure at its site does: those through
// its router, and those to a host that Join has connected with it.
func (h Host) Isolate(router, joined Host) error { return h.isolate("-I", router, joined) }

// Reconnect undoes Isolate.
func (h Host) Reconnect(router, joined Host) error { return h.isolate("-D", router, joined) }

func (h Host) isolate(operation string, router, joined Host) error {
	var commands []string
	for host, link := range map[Host]string{router: linkName(h), joined: direct} {
		for _, direction := range []string{"-i", "-o"} {
			commands = append(commands, fmt.Sprintf("ip netns exec %s iptables -w %s FORWARD %s %s -j DROP", host, operation, direction, link))
		}
	}
	return run(commands...)
}

// Masquerade hides the private addresses of a network behind the host's own, and keeps them off the line.
func (h Host) Masquerade(private string) error {
	return run(
		fmt.Sprintf("ip netns exec %s iptables -w -t nat -A POSTROUTING -s %s -o eth0 -j MASQUERADE", h, private),
	)
}

// Reach connects this computer to the lab: one link to its router, and one route.
func Reach(id int, router Host, subnet, ours, theirs string) error {
	link := uplink(id)
	return run(
		fmt.Sprintf("ip link add %s type veth peer name uplink netns %s", link, router),
		fmt.Sprintf("ip addr add %s/32 peer %s dev %s", ours, theirs, link),
		fmt.Sprintf("ip link set %s up", link),
		fmt.Sprintf("ip -n %s addr add %s/32 peer %s dev uplink", router, theirs, ours),
		fmt.Sprintf("ip -n %s link set uplink up", router),
		fmt.Sprintf("ip route replace %s via %s dev %s src %s", subnet, theirs, link, ours),
	)
}

// Leave removes what Reach created.
func Leave(id int) { _ = exec.Command("ip", "link", "del", uplink(id)).Run() }

// Remove ends every process of the host and takes it away.
func (h Host) Remove() {
	for range 20 {
		out, _ := exec.Command("ip", "netns", "pids", string(h)).Output()
		pids := strings.Fields(string(out))
		if len(pids) == 0 {
			break
		}
		_ = exec.Command("kill", append([]string{"-9"}, pids...)...).Run()
	}
	_ = exec.Command("ip", "netns", "del", string(h)).Run()
}

func uplink(id int) string { return fmt.Sprintf("%s%d", prefix, id) }

// linkName fits into the 15 characters that the kernel gives an interface.
func linkName(h Host) string {
	sum := fnv.New32a()
	sum.Write([]byte(h))
	return fmt.Sprintf("v%08x", sum.Sum32())
}

func run(commands ...string) error {
	for _, command := range commands {
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
