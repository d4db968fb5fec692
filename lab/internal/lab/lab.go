// Package lab brings meshes up on this computer and takes them away again: hosts, lines between them, and on each a cluster of its own.
//
//	l, err := lab.Up(ctx, programs)
//	defer l.Down()
//	east := l.Kubeconfig("east")
//
// What it leaves on the computer while it runs: network namespaces that begin with "mflab<number>-", one network link, one directory. Each
// lab has a number, so several can run at once; Down finds everything by that number, also after a crash.
package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/build"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/kubelet"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/network"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/node"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
)

const (
	root    = "/run/cdk8s-mesh-federation-lab"
	maxLabs = 8
)

// Site is where a mesh stands in the lab's network.
type Site struct {
	Name      string
	Addresses []string // public, all of them lead to its ingress gateway
}

// Sites are the meshes of a lab. Addresses are from the ranges for documentation, and exist inside the lab only.
var Sites = []Site{
	{"east", []string{"203.0.113.20"}},
	{"west", []string{"203.0.113.10", "203.0.113.11"}},
	{"north", []string{"203.0.113.30"}},
}

// outsider is the address of a host that belongs to no mesh.
const outsider = "203.0.113.66"

// Lab is one that is up.
type Lab struct {
	ID       int
	Programs build.Programs
	lock     *os.File
}

// Up finds a free number, cleans what a crashed lab left under it, and starts the clusters.
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

// numbers are those that a lab may have: the one that the variable LAB names, or any.
func numbers() []int {
	if chosen := os.Getenv("LAB"); chosen != "" {
		id, err := strconv.Atoi(chosen)
		if err != nil || id < 0 || id >= maxLabs {
			return nil // Check has said so
		}
		return []int{id}
	}
	var all []int
	for id := range maxLabs {
		all = append(all, id)
	}
	return all
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

// Hold keeps others out of a kept lab until Release, or until this process ends: whoever applies and probes would disturb each other.
func (l *Lab) Hold() error {
	held, err := lock(l.ID)
	if errors.Is(err, errTaken) {
		return fmt.Errorf("lab %d is in use by another run: wait until it ends, or choose another lab by the variable LAB", l.ID)
	}
	if err != nil {
		return err
	}
	l.lock = held
	if !kept(l.ID) { // meanwhile
		l.Release()
		return errNone
	}
	return nil
}

// Release undoes Hold.
func (l *Lab) Release() { _ = l.lock.Close() }

// Clean takes away every lab that no process holds, the kept ones included, and says how many. LAB limits it to one. A kept one that is in use
// is an error.
func Clean() (removed int, err error) {
	for _, id := range numbers() {
		lock, locked := lock(id)
		if locked != nil {
			if kept(id) {
				err = errors.Join(err, fmt.Errorf("lab %d is in use: end what runs in it first", id))
			}
			continue
		}
		_ = os.Remove(filepath.Join(directory(id), "kept")) // nobody shall begin to use what goes
		l := &Lab{ID: id, lock: lock}
		if len(network.Of(id)) > 0 {
			removed++
		}
		l.Down()
	}
	return removed, err
}

// Keep lets the lab live on when this process ends.
func (l *Lab) Keep() error {
	if err := os.WriteFile(filepath.Join(directory(l.ID), "kept"), nil, 0o644); err != nil {
		return err
	}
	return l.lock.Close()
}

// Down ends all processes of the lab and takes away its hosts and files. It is safe to call it twice.
func (l *Lab) Down() {
	l.remove()
	if l.lock != nil {
		_ = l.lock.Close() // the file stays: a lock on a file that is gone would hold nobody back
	}
}

func (l *Lab) remove() {
	var waiting sync.WaitGroup
	hosts := network.Of(l.ID)
	nodes := map[network.Host]bool{}
	for _, site := range Sites { // first those that would start ended pods again
		host := network.New(l.ID, site.Name)
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

// Directory holds what the lab writes: a directory for each mesh with its logs, its pods and its kubeconfig.
func (l *Lab) Directory() string { return directory(l.ID) }

// Kubeconfig of a mesh's administrator.
func (l *Lab) Kubeconfig(mesh string) string { return filepath.Join(l.Directory(), mesh, "kubeconfig") }

// Outside runs the applications' program on a host that belongs to no mesh.
func (l *Lab) Outside(args ...string) *exec.Cmd {
	return network.New(l.ID, "outsider").Command(append([]string{filepath.Join(l.Directory(), "bin", "app")}, args...)...)
}

// Here is the address at which the lab's hosts find this computer.
func (l *Lab) Here() string { return l.subnet(1) }

// Cut makes one public address of a mesh dead, as an unplugged line; Mend plugs it in.
func (l *Lab) Cut(mesh, address string) error {
	return network.New(l.ID, mesh).Unroute(l.world(), address)
}

// Mend undoes Cut.
func (l *Lab) Mend(mesh, address string) error {
	return network.New(l.ID, mesh).Route(l.world(), address, l.address(mesh))
}

func (l *Lab) world() network.Host { return network.New(l.ID, "world") }

func (l *Lab) subnet(host int) string { return fmt.Sprintf("198.18.%d.%d", l.ID, host) }

// address of a mesh's node, outside.
func (l *Lab) address(mesh string) string {
	return l.subnet(11 + slices.IndexFunc(Sites, func(site Site) bool { return site.Name == mesh }))
}

func (l *Lab) start(ctx context.Context) error {
	bin := filepath.Join(l.Directory(), "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if err := l.install(bin); err != nil {
		return err
	}
	world := l.world()
	if err := world.Create(); err != nil {
		return err
	}
	if err := network.Reach(l.ID, world, l.subnet(0)+"/24", l.subnet(1), l.subnet(2)); err != nil {
		return err
	}
	stranger := network.New(l.ID, "outsider")
	if err := errors.Join(stranger.Create(), stranger.Attach(world, outsider)); err != nil {
		return err
	}
	for _, site := range Sites {
		if err := l.site(site, bin); err != nil {
			return err
		}
	}
	for _, site := range Sites {
		if err := l.wait(ctx, site.Name); err != nil {
			return err
		}
	}
	return nil
}

// install puts all programs side by side; the lab's own are copied, since they may be built anew while a lab is up.
func (l *Lab) install(bin string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range []string{"lab", "app"} {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(self), name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(bin, name), data, 0o755); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(l.Programs.Directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.Symlink(l.Programs.Path(entry.Name()), filepath.Join(bin, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) site(site Site, bin string) error {
	host, address := network.New(l.ID, site.Name), l.address(site.Name)
	if err := errors.Join(host.Create(), host.Attach(l.world(), address)); err != nil {
		return err
	}
	for _, public := range site.Addresses {
		if err := host.Route(l.world(), public, address); err != nil {
			return err
		}
	}
	names := map[string]string{}
	for _, other := range Sites {
		names["federation."+other.Name+".example"] = other.Addresses[0]
	}
	config := node.Config{
		LabID: l.ID, Name: site.Name, Host: host, Address: address, PublicAddresses: site.Addresses, PublicNames: names,
		Directory: filepath.Join(l.Directory(), site.Name), Binaries: bin, Kubernetes: l.Programs.Kubernetes, Token: rand.Text(), Images: images(bin, l.Programs),
	}
	path, err := config.Write()
	if err != nil {
		return err
	}
	output, err := os.Create(filepath.Join(config.Directory, "node.log"))
	if err != nil {
		return err
	}
	defer output.Close()
	process := host.Command(filepath.Join(bin, "lab"), "node", path)
	process.Stdout, process.Stderr = output, output
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return process.Start()
}

// images are the programs that stand for container images.
func images(bin string, programs build.Programs) []kubelet.Image {
	istio := map[string]string{
		"/usr/local/bin/pilot-agent":                     filepath.Join(programs.Directory, "pilot-agent"),
		"/usr/local/bin/pilot-discovery":                 filepath.Join(programs.Directory, "pilot-discovery"),
		"/usr/local/bin/envoy":                           filepath.Join(programs.Directory, "envoy"),
		"/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": filepath.Join(programs.Directory, "envoy_bootstrap.json"),
	}
	own := map[string]string{"/usr/local/bin/app": filepath.Join(bin, "app")}
	return []kubelet.Image{
		{Match: "/proxyv2", Files: istio, Entrypoint: []string{"/usr/local/bin/pilot-agent"}, User: 1337},
		{Match: "/pilot", Files: istio, Entrypoint: []string{"/usr/local/bin/pilot-discovery"}, User: 1337},
		{Match: "examples-bookinfo", Files: own, Entrypoint: []string{"/usr/local/bin/app", "serve", "--http", "9080"}, User: 1000},
		{Match: "mesh-federation-lab", Files: own, Entrypoint: []string{"/usr/local/bin/app"}, User: 1000},
	}
}

// wait until the cluster answers, or its process has given up.
func (l *Lab) wait(ctx context.Context, mesh string) error {
	for budget := patience.Start(time.Minute); !budget.Spent() && ctx.Err() == nil; {
		kubectl := exec.CommandContext(ctx, filepath.Join(l.Directory(), "bin", "kubectl"), "--kubeconfig", l.Kubeconfig(mesh), "get", "node", mesh)
		if kubectl.Run() == nil {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(l.Directory(), mesh, "node.log"))
	return fmt.Errorf("mesh %s does not come up: %w\n%s", mesh, ctx.Err(), log[max(0, len(log)-2000):])
}

var errTaken = errors.New("taken")

// claim takes a number, unless a process holds it or a lab was kept under it.
func claim(id int) (*os.File, error) {
	if kept(id) { // not locked even for a moment, for those who use it
		return nil, errTaken
	}
	lock, err := lock(id)
	if err == nil && kept(id) { // meanwhile
		lock.Close()
		return nil, errTaken
	}
	return lock, err
}

// lock is held by the process that a lab lives in, or that uses a kept one.
func lock(id int) (*os.File, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(directory(id)+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		file.Close()
		return nil, errTaken
	}
	return file, nil
}

func kept(id int) bool {
	_, err := os.Stat(filepath.Join(directory(id), "kept"))
	return err == nil
}

func directory(id int) string { return filepath.Join(root, strconv.Itoa(id)) }
