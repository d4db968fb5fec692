// Package lab starts meshes on this computer and removes them again: hosts, links between them, and on each a cluster
// of its own.
//
//	l, err := lab.Up(ctx, programs)
//	defer l.Down()
//	east := l.Kubeconfig("east")
//
// What it leaves on the computer while it runs: network namespaces that begin with "mflab<number>-", one network link,
// one directory. Each lab has a number, so several can run at once; Down finds everything by that number, also after a
// crash.
package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/build"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/network"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/node"
)

const (
	root    = "/run/cdk8s-mesh-federation-lab"
	maxLabs = 8
)

// Site is the place of a cluster in the lab's network.
type Site struct {
	Name      string
	Mesh      string   // the mesh of the cluster. Its first cluster has its name
	Addresses []string // public addresses, all of its ingress gateway
	Networks  node.Networks
}

// First reports whether it is the first cluster of its mesh. Others start when a scenario needs them.
func (s Site) First() bool { return s.Name == s.Mesh }

// usual are the private networks of the first cluster of every mesh. They are the same, as they may be in life: nothing of
// them may matter to a peer. The clusters of one mesh reach each other, so they differ.
var (
	usual  = node.Networks{Pods: "10.244.0.0/16", Services: "10.96.0.0/16", APIService: "10.96.0.1"}
	second = node.Networks{Pods: "10.245.0.0/16", Services: "10.97.0.0/16", APIService: "10.97.0.1"}
)

// Sites are the clusters of a lab. Addresses are from the ranges for documentation, and exist inside the lab only.
var Sites = []Site{
	{"east", "east", []string{"203.0.113.20"}, usual},
	{"west", "west", []string{"203.0.113.10", "203.0.113.11"}, usual},
	{"north", "north", []string{"203.0.113.30"}, usual},
	{"west2", "west", []string{"203.0.113.12"}, second},
}

// SiteOf is the site of a cluster.
func SiteOf(cluster string) Site {
	return Sites[slices.IndexFunc(Sites, func(site Site) bool { return site.Name == cluster })]
}

// outsider is the address of a host that belongs to no mesh.
const outsider = "203.0.113.66"

// Lab is a running lab.
type Lab struct {
	ID       int
	Programs build.Programs
	lock     *os.File
}

// Up finds a free number, removes what a crashed lab left under it, and starts the clusters.
func Up(ctx context.Context, programs build.Programs) (*Lab, error) {
	for _, id := range numbers() {
		lock, err := claim(id)
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			return nil, err
		}
		l := &Lab{ID: id, Programs: programs, lock: lock}
		l.remove()
		if err := l.start(ctx); err != nil {
			l.Down()
			return nil, err
		}
		return l, nil
	}
	if chosen := numbers(); len(chosen) == 1 {
		return nil, fmt.Errorf("lab %d is running already: end it with Ctrl-C, or with `npm run lab -- down` if it was left up", chosen[0])
	}
	return nil, fmt.Errorf("%d labs are running already: end one with Ctrl-C, or those that were left up with `npm run lab -- down`", maxLabs)
}

// Kept finds the lab that `up` has left running; with several, the one that the variable LAB names, or the first.
func Kept(programs build.Programs) (*Lab, error) {
	for _, id := range numbers() {
		if kept(id) {
			return &Lab{ID: id, Programs: programs}, nil
		}
	}
	return nil, errNone
}

// errNone is that no lab was left running.
var errNone = errors.New("no lab is up: start one with `npm run lab -- up`")

// Clean removes every lab that no process holds, those included that were left running, and returns their number. LAB
// limits it to one. A lab in use is an error.
func Clean() (removed int, err error) {
	for _, id := range numbers() {
		lock, locked := lock(id)
		if locked != nil {
			if kept(id) {
				err = errors.Join(err, fmt.Errorf("lab %d is in use: end what runs in it first", id))
			}
			continue
		}
		_ = os.Remove(filepath.Join(directory(id), "kept")) // no process must begin to use a lab that is being removed
		l := &Lab{ID: id, lock: lock}
		if len(network.Of(id)) > 0 {
			removed++
		}
		l.Down()
	}
	return removed, err
}

// Keep lets the lab run when this process ends.
func (l *Lab) Keep() error {
	if err := os.WriteFile(filepath.Join(directory(l.ID), "kept"), nil, 0o644); err != nil {
		return err
	}
	return l.lock.Close()
}

// Down ends all processes of the lab and removes its hosts and files. It is safe to call it twice.
func (l *Lab) Down() {
	l.remove()
	if l.lock != nil {
		_ = l.lock.Close() // the file is not deleted: a lock on a deleted file would have no effect
	}
}

func (l *Lab) remove() {
	var waiting sync.WaitGroup
	hosts := network.Of(l.ID)
	nodes := map[network.Host]bool{}
	for _, site := range Sites { // first those that would start ended pods again
		host := l.host(site.Name)
		nodes[host] = true
		if slices.Contains(hosts, host) {
			waiting.Go(host.Remove)
		}
	}
	waiting.Wait()
	for _, host := range network.Of(l.ID) {
		if !nodes[host] {
			waiting.Go(host.Remove)
		}
	}
	waiting.Wait()
	network.Leave(l.ID)
	_ = os.RemoveAll(directory(l.ID))
}

// Directory has the files of the lab: a directory for each cluster with its logs, its pods and its kubeconfig.
func (l *Lab) Directory() string { return directory(l.ID) }

// WorkloadCA is the path, without extension, of the CA from which pods of a mesh get their certificates if they mount
// the socket of its agent.
func (l *Lab) WorkloadCA(mesh string) string {
	return filepath.Join(l.Directory(), mesh+"-workloads")
}

// Kubeconfig of a cluster's administrator.
func (l *Lab) Kubeconfig(cluster string) string {
	return filepath.Join(l.Directory(), cluster, "kubeconfig")
}

// Outside runs the applications' program on a host that belongs to no mesh.
func (l *Lab) Outside(args ...string) *exec.Cmd {
	return network.New(l.ID, "outsider").Command(append([]string{filepath.Join(l.Directory(), "bin", "app")}, args...)...)
}

// Here is the address at which the lab's hosts find this computer.
func (l *Lab) Here() string { return l.subnet(1) }

// Cut makes one public address of a mesh unreachable, as an unplugged cable does.
func (l *Lab) Cut(mesh, address string) error {
	return l.host(mesh).Unroute(l.world(), address)
}

// Mend undoes Cut.
func (l *Lab) Mend(mesh, address string) error {
	return l.host(mesh).Route(l.world(), address, l.address(mesh))
}

func (l *Lab) world() network.Host { return l.host("world") }

func (l *Lab) host(name string) network.Host { return network.New(l.ID, name) }

func (l *Lab) subnet(host int) string { return fmt.Sprintf("198.18.%d.%d", l.ID, host) }

// address of a cluster's node, outside.
func (l *Lab) address(cluster string) string {
	return l.subnet(11 + slices.IndexFunc(Sites, func(site Site) bool { return site.Name == cluster }))
}
