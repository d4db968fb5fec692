// Package federation is several meshes and what lies between them, as the cases need it: the applications of each mesh,
// the manifests of one scenario at a time, and a host outside of all meshes.
package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/lab"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Boundary is the namespace of the boundary gateways in every scenario.
const Boundary = "istio-federation"

// Federation is a set of meshes.
type Federation struct {
	East, West, North *mesh.Mesh
	// West2 is the second cluster of west while a scenario needs it.
	West2 *mesh.Mesh

	Lab *lab.Lab
	// Settled is the scenario that became ready.
	Settled    string
	repository string
	directory  string // synthesised manifests, by scenario

	current string
	mu      sync.Mutex
	applied map[string][]*unstructured.Unstructured // by mesh
	apps    map[string][]*unstructured.Unstructured // by mesh
	sockets map[string]bool                         // meshes whose gateways may mount the socket of SPIRE's agent
}

// Open connects to the meshes of a lab.
func Open(l *lab.Lab, repository string) (f *Federation, err error) {
	f = &Federation{
		Lab: l, repository: repository, directory: filepath.Join(l.Directory(), "manifests"),
		applied: map[string][]*unstructured.Unstructured{}, apps: map[string][]*unstructured.Unstructured{}, sockets: map[string]bool{},
	}
	for name, m := range map[string]**mesh.Mesh{"east": &f.East, "west": &f.West, "north": &f.North, "west2": &f.West2} {
		if !l.Runs(name) {
			continue
		}
		if *m, err = f.open(name); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Meshes are all of them, a second cluster included.
func (f *Federation) Meshes() []*mesh.Mesh {
	all := []*mesh.Mesh{f.East, f.West, f.North}
	if f.West2 != nil {
		all = append(all, f.West2)
	}
	return all
}

// Mesh by name.
func (f *Federation) Mesh(name string) *mesh.Mesh {
	for _, m := range f.Meshes() {
		if m.Name == name {
			return m
		}
	}
	panic("there is no mesh " + name)
}

// Each runs something for every mesh at once.
func (f *Federation) Each(run func(*mesh.Mesh) error) error {
	var group errgroup.Group
	for _, m := range f.Meshes() {
		group.Go(func() error { return run(m) })
	}
	return group.Wait()
}

// Prepare installs Istio into every mesh, reads the root certificates of the meshes, and synthesizes all scenarios with
// them.
func (f *Federation) Prepare(ctx context.Context) error {
	trust := f.Trust()
	if err := os.MkdirAll(trust, 0o755); err != nil {
		return err
	}
	keyServers, err := f.foundIssuers()
	if err != nil {
		return err
	}
	if err := f.Each(func(m *mesh.Mesh) error {
		if err := f.install(ctx, m, keyServers); err != nil {
			return err
		}
		return m.SaveRoot(ctx, filepath.Join(trust, m.Name+".pem"))
	}); err != nil {
		return err
	}
	if err := errors.Join(f.foundBoundaries(), f.foundWorkloadCAs()); err != nil {
		return err
	}
	return f.Synthesise(ctx, trust, f.directory)
}

// install installs Istio into a cluster, with what every scenario needs.
func (f *Federation) install(ctx context.Context, m *mesh.Mesh, keyServers string) error {
	if err := m.InstallIstio(ctx, f.Lab.Programs.Kubernetes, keyServers); err != nil {
		return err
	}
	if _, err := m.Kubectl(ctx, "", "apply", "--server-side", "-f", filepath.Join(f.repository, "crds", "cert-manager-1.21.yaml")); err != nil {
		return err
	}
	if err := m.IstiodReady(ctx); err != nil {
		return err
	}
	return m.Put(ctx, groundObjects()...)
}

// Trust is the directory with the roots that the programs read.
func (f *Federation) Trust() string { return f.directory + "-trust" }

// Page is a file of the documentation that readers apply.
func (f *Federation) Page(name string) string { return filepath.Join(f.repository, "docs", name) }

// Source is the directory of a Go module that the lab uses, by its path.
func (f *Federation) Source(ctx context.Context, module string) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module)
	list.Dir = filepath.Join(f.repository, "lab")
	directory, err := list.Output()
	return strings.TrimSpace(string(directory)), err
}

// Synthesise runs the programs with these roots; without names, all of them.
func (f *Federation) Synthesise(ctx context.Context, trust, directory string, scenarios ...string) error {
	args := append([]string{"ts-node", "--transpile-only", "--project", "scripts/tsconfig.json", "scripts/lab.ts", directory}, scenarios...)
	command := exec.CommandContext(ctx, "npx", args...)
	command.Dir = f.repository
	command.Env = append(os.Environ(), "TRUST_DIRECTORY="+trust)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("synthesis: %w: %s", err, out)
	}
	return nil
}

// Add synthesises further programs, which can then be used as scenarios.
func (f *Federation) Add(ctx context.Context, scenarios ...string) error {
	return f.Synthesise(ctx, f.Trust(), f.directory, scenarios...)
}

// Files of a scenario for a cluster, in the order in which they are applied. All clusters of a mesh get the same ones.
func (f *Federation) Files(scenario, cluster string) []string {
	files, _ := filepath.Glob(filepath.Join(f.directory, scenario, lab.SiteOf(cluster).Mesh+"*.yaml"))
	files = slices.DeleteFunc(files, func(file string) bool { // a mesh without exports and bindings has an empty file
		info, err := os.Stat(file)
		return err == nil && info.Size() == 0
	})
	slices.Sort(files) // otherwise east-bookinfo.yaml would come after east.yaml
	slices.SortStableFunc(files, func(a, b string) int { return len(a) - len(b) })
	return files
}

// Objects of a scenario for a mesh, in their order.
func (f *Federation) Objects(scenario, meshName string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, file := range f.Files(scenario, meshName) {
		objects, err := mesh.ObjectsOf(file)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}

// Use applies a scenario in every mesh, unchanged and strictly, and deletes what only the scenario before had. Its
// applications are ready afterwards.
func (f *Federation) Use(ctx context.Context, scenario string) error {
	if f.current == scenario {
		return nil
	}
	if _, err := os.Stat(filepath.Join(f.directory, scenario)); err != nil {
		return fmt.Errorf("there is no scenario %q: %w", scenario, err)
	}
	f.Forget()
	_ = os.Remove(f.directory + "-current") // an incomplete directory must not be used
	if err := f.changeClusters(ctx, scenario); err != nil {
		return fmt.Errorf("scenario %s: %w", scenario, err)
	}
	if err := f.Each(func(m *mesh.Mesh) error { return f.use(ctx, m, scenario) }); err != nil {
		return fmt.Errorf("scenario %s: %w", scenario, err)
	}
	f.current = scenario
	return os.WriteFile(f.directory+"-current", []byte(scenario), 0o644)
}

// Forget causes the next Use to apply its scenario, even if it is the current one.
func (f *Federation) Forget() { f.current, f.Settled = "", "" }

// Current is the scenario that is applied.
func (f *Federation) Current() string { return f.current }

// Resume continues with the scenario that another process has applied.
func (f *Federation) Resume() error {
	name, err := os.ReadFile(f.directory + "-current")
	if err != nil {
		return nil // none was
	}
	for _, m := range f.Meshes() {
		objects, err := f.Objects(string(name), m.Name)
		if err != nil {
			return err
		}
		f.applied[m.Name], f.apps[m.Name] = objects, appsOf(string(name), m.Name)
		f.sockets[m.Name] = string(name) == Spire
	}
	f.current = string(name)
	return nil
}

// Again applies the scenario once more, for cases that have changed something.
func (f *Federation) Again(ctx context.Context) error {
	scenario := f.current
	f.current = ""
	return f.Use(ctx, scenario)
}

func (f *Federation) use(ctx context.Context, m *mesh.Mesh, scenario string) error {
	objects, err := f.Objects(scenario, m.Name)
	if err != nil {
		return err
	}
	apps := appsOf(scenario, m.Name)
	changed, err := m.Configure(ctx, meshConfigs[scenario])
	if err != nil {
		return err
	}
	f.mu.Lock()
	gone := slices.Concat(missing(f.applied[m.Name], objects), missing(f.apps[m.Name], apps))
	if changed { // pods keep the proxy configuration with which they were injected
		gone = slices.Concat(f.applied[m.Name], f.apps[m.Name])
	}
	// When this fails half-way, objects of both scenarios are there, and the next scenario must find them all to take
	// them away.
	f.applied[m.Name], f.apps[m.Name] = together(f.applied[m.Name], objects), together(f.apps[m.Name], apps)
	f.mu.Unlock()
	if err := m.DeleteNow(ctx, gone...); err != nil {
		return err
	}
	if err := m.Put(ctx, apps...); err != nil {
		return err
	}
	if err := f.PutCredentials(ctx, m, scenario); err != nil {
		return err
	}
	if err := f.keepRoots(ctx, m, scenario); err != nil {
		return err
	}
	for _, file := range f.Files(scenario, m.Name) {
		if err := m.ApplyFile(ctx, file); err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.applied[m.Name], f.apps[m.Name] = objects, apps
	had := f.sockets[m.Name]
	f.sockets[m.Name] = had || scenario == Spire // until all of this has succeeded
	f.mu.Unlock()
	if err := m.Ready(ctx, namespaces(slices.Concat(apps, objects))...); err != nil || !had && scenario != Spire {
		return err
	}
	// istiod caches clusters without regard to the socket of a pod, as docs/how-to/trust.md says.
	if err := m.RestartIstiod(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	f.sockets[m.Name] = scenario == Spire
	f.mu.Unlock()
	return nil
}

// Outside sends probes from a host outside of all meshes.
func (f *Federation) Outside(probes ...traffic.Probe) ([]traffic.Answer, error) {
	return outside[traffic.Answer](f, "probe", probes)
}

// AttackOutside runs attacks from that host to their end.
func (f *Federation) AttackOutside(plans ...traffic.Attack) ([]*traffic.Report, error) {
	return outside[*traffic.Report](f, "attack", plans)
}

func outside[Answer any](f *Federation, mode string, input any) ([]Answer, error) {
	data, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	command := f.Lab.Outside(mode)
	command.Stdin = bytes.NewReader(data)
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("%s outside: %w: %s", mode, err, exit.Stderr)
		}
		return nil, err
	}
	var answers []Answer
	return answers, json.Unmarshal(out, &answers)
}
