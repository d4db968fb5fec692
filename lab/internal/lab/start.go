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
	"syscall"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/build"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/kubelet"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/network"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/node"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/spiffe"
)

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
	attacker := network.New(l.ID, "outsider")
	if err := errors.Join(attacker.Create(), attacker.Attach(world, outsider)); err != nil {
		return err
	}
	first := slices.DeleteFunc(slices.Clone(Sites), func(site Site) bool { return !site.First() })
	for _, site := range first {
		if err := l.site(site); err != nil {
			return err
		}
	}
	for _, site := range first {
		if err := l.wait(ctx, site.Name); err != nil {
			return err
		}
	}
	return nil
}

// install puts all programs into one directory. The lab's own are copied, because they may be rebuilt while a lab runs.
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

func (l *Lab) site(site Site) error {
	bin := filepath.Join(l.Directory(), "bin")
	host, address := l.host(site.Name), l.address(site.Name)
	if err := errors.Join(host.Create(), host.Attach(l.world(), address)); err != nil {
		return err
	}
	for _, public := range site.Addresses {
		if err := host.Route(l.world(), public, address); err != nil {
			return err
		}
	}
	names := map[string][]string{}
	for _, other := range Sites {
		names["federation."+other.Name+".example"] = other.Addresses[:1]
		names["balancer."+other.Name+".example"] = other.Addresses // as a load balancer of several zones
	}
	config := node.Config{
		LabID: l.ID, Name: site.Name, Host: host, Address: address, PublicAddresses: site.Addresses, PublicNames: names, Networks: site.Networks,
		Directory: filepath.Join(l.Directory(), site.Name), Binaries: bin, Kubernetes: l.Programs.Kubernetes, Token: rand.Text(), Images: images(bin, l.Programs),
		Workloads: spiffe.Agent{TrustDomain: site.Mesh + ".example", CA: l.WorkloadCA(site.Mesh)},
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

// images are the programs in place of container images.
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
func (l *Lab) wait(ctx context.Context, cluster string) error {
	budget := patience.Start(time.Minute)
	for !budget.Spent() && ctx.Err() == nil {
		kubectl := exec.CommandContext(ctx, filepath.Join(l.Directory(), "bin", "kubectl"), "--kubeconfig", l.Kubeconfig(cluster), "get", "node", cluster)
		if kubectl.Run() == nil {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(l.Directory(), cluster, "node.log"))
	end := log[max(0, len(log)-2000):]
	if ctx.Err() != nil {
		return fmt.Errorf("cluster %s does not start: %w\n%s", cluster, context.Cause(ctx), end)
	}
	return fmt.Errorf("cluster %s does not start within %s\n%s", cluster, budget.Waited().Round(time.Second), end)
}
