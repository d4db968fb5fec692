package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/network"
)

// pod is one pod of this node: a network namespace, a directory, and a process for each container.
type pod struct {
	kubelet *Kubelet
	spec    *core.Pod
	address string
	host    network.Host
	dir     string
	written map[string]content
	tokens  map[string]string
	cancel  context.CancelFunc
	done    chan struct{}

	mu         sync.Mutex
	containers []*container
	ending     bool
}

// container is one of a pod's, init containers included.
type container struct {
	core.Container
	init, sidecar bool // a sidecar is an init container that goes on running
	process       *os.Process
	started       time.Time
	restarts      int32
	exit          *core.ContainerStateTerminated
	ready, up     bool // up: the startup probe has passed
}

func (p *pod) volume(name string) string { return filepath.Join(p.dir, "volumes", name) }
func (p *pod) log(name string) string    { return filepath.Join(p.dir, name+".log") }

// run is the life of a pod, from its binding to this node until it is cancelled.
func (p *pod) run(ctx context.Context) {
	defer close(p.done)
	if err := p.start(ctx); err != nil && ctx.Err() == nil {
		p.kubelet.log("%s/%s: %v", p.spec.Namespace, p.spec.Name, err)
		p.report(context.Background(), core.PodFailed, err.Error())
	}
	<-ctx.Done()
}

func (p *pod) start(ctx context.Context) error {
	if err := p.network(); err != nil {
		return err
	}
	p.report(ctx, core.PodPending, "")
	for err := p.volumes(ctx); err != nil; err = p.volumes(ctx) {
		p.kubelet.log("%s/%s waits: %v", p.spec.Namespace, p.spec.Name, err)
		if !sleep(ctx, 200*time.Millisecond) {
			return nil
		}
	}
	go p.refresh(ctx)
	for _, c := range p.containers {
		if c.init && !c.sidecar {
			if err := p.complete(ctx, c); err != nil {
				return err
			}
			continue
		}
		go p.keep(ctx, c)
		for c.sidecar && !p.isUp(c) { // the next container waits until a sidecar has started
			if !sleep(ctx, 50*time.Millisecond) {
				return nil
			}
		}
	}
	p.observe(ctx)
	return nil
}

func (p *pod) network() error {
	if err := p.host.Create(); err != nil {
		return err
	}
	return p.host.Attach(p.kubelet.Host, p.address)
}

// refresh brings changed ConfigMaps and Secrets into the volumes. A real kubelet takes up to a minute and a half.
func (p *pod) refresh(ctx context.Context) {
	for sleep(ctx, 500*time.Millisecond) {
		if err := p.volumes(ctx); err != nil {
			p.kubelet.log("%s/%s: %v", p.spec.Namespace, p.spec.Name, err)
		}
	}
}

// complete runs an init container to its end.
func (p *pod) complete(ctx context.Context, c *container) error {
	command, err := p.launch(c)
	if err != nil {
		return err
	}
	if err := command.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("init container %s: %w (its log: %s)", c.Name, err, p.log(c.Name))
	}
	p.mu.Lock()
	c.exit, c.process = &core.ContainerStateTerminated{Reason: "Completed", FinishedAt: meta.Now()}, nil
	p.mu.Unlock()
	return nil
}

// keep starts a container, and starts it again when it ends, as restartPolicy Always says.
func (p *pod) keep(ctx context.Context, c *container) {
	for ctx.Err() == nil {
		command, err := p.launch(c)
		if err != nil {
			p.kubelet.log("%s/%s %s: %v", p.spec.Namespace, p.spec.Name, c.Name, err)
		} else {
			go p.startup(ctx, c, command.Process)
			err = command.Wait()
		}
		p.mu.Lock()
		c.process, c.ready, c.up = nil, false, false
		c.exit = &core.ContainerStateTerminated{Reason: "Error", Message: fmt.Sprint(err), FinishedAt: meta.Now()}
		c.restarts++
		ending := p.ending
		p.mu.Unlock()
		if ending {
			return
		}
		p.kubelet.log("%s/%s %s ended: %v", p.spec.Namespace, p.spec.Name, c.Name, err)
		sleep(ctx, time.Second)
	}
}

// startup waits for the startup probe of the process that was just started.
func (p *pod) startup(ctx context.Context, c *container, process *os.Process) {
	for !p.probe(c.StartupProbe, c) {
		if !sleep(ctx, 100*time.Millisecond) {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.process == process {
		c.up = true
	}
}

func (p *pod) isUp(c *container) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return c.up
}

// observe asks the readiness probes and tells the API server what changed.
func (p *pod) observe(ctx context.Context) {
	for last := ""; ; {
		for _, c := range p.containers {
			if c.init && !c.sidecar {
				continue
			}
			ready := p.isUp(c) && p.probe(c.ReadinessProbe, c)
			p.mu.Lock()
			c.ready = ready && c.process != nil
			p.mu.Unlock()
		}
		if state := p.state(); state != last {
			p.report(ctx, core.PodRunning, "")
			last = state
		}
		if !sleep(ctx, 250*time.Millisecond) {
			return
		}
	}
}

func (p *pod) state() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var state strings.Builder
	for _, c := range p.containers {
		fmt.Fprint(&state, c.Name, c.ready, c.up, c.restarts, ";")
	}
	return state.String()
}

// probe asks over HTTP or TCP from the node, as a kubelet does. Other kinds of probes count as passed.
func (p *pod) probe(probe *core.Probe, c *container) bool {
	if probe == nil || probe.HTTPGet == nil {
		return true
	}
	scheme := "http"
	if probe.HTTPGet.Scheme != "" {
		scheme = strings.ToLower(string(probe.HTTPGet.Scheme))
	}
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("%s://%s:%d%s", scheme, p.address, c.port(probe.HTTPGet.Port), probe.HTTPGet.Path))
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode < 400
}

func (c *container) port(port intstr.IntOrString) int32 {
	for _, declared := range c.Ports {
		if port.Type == intstr.String && declared.Name == port.StrVal {
			return declared.ContainerPort
		}
	}
	return port.IntVal
}

// launch starts a container's process in the pod's network and in namespaces of its own.
func (p *pod) launch(c *container) (*exec.Cmd, error) {
	image, err := p.kubelet.image(c.Image)
	if err != nil {
		return nil, err
	}
	environment, err := p.environment(c.Container)
	if err != nil {
		return nil, err
	}
	command := expand(c.Command, environment)
	if len(command) == 0 {
		command = image.Entrypoint
	}
	b := bundle{
		Root:         filepath.Join(p.dir, "roots", c.Name),
		ReadOnlyRoot: c.SecurityContext != nil && c.SecurityContext.ReadOnlyRootFilesystem != nil && *c.SecurityContext.ReadOnlyRootFilesystem,
		Hostname:     p.spec.Name,
		Directory:    c.WorkingDir,
		Files: map[string]string{
			"/etc/resolv.conf": fmt.Sprintf("nameserver %s\nsearch %s.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n", p.kubelet.Address, p.spec.Namespace),
			"/etc/hosts":       fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", p.address, p.spec.Name),
		},
		Command: slices.Concat(p.privileges(c.Container, image), assignments(environment), command, expand(c.Args, environment)),
	}
	for inside, path := range image.Files {
		b.Mounts = append(b.Mounts, mount{Source: path, Target: inside, ReadOnly: true})
	}
	slices.SortFunc(b.Mounts, func(x, y mount) int { return strings.Compare(x.Target, y.Target) })
	for _, m := range c.VolumeMounts {
		b.Mounts = append(b.Mounts, mount{Source: filepath.Join(p.volume(m.Name), m.SubPath), Target: m.MountPath, ReadOnly: m.ReadOnly})
	}
	if err := os.MkdirAll(b.Root, 0o755); err != nil {
		return nil, err
	}
	data, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(b.Root+".json", data, 0o600); err != nil {
		return nil, err
	}
	output, err := os.OpenFile(p.log(c.Name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	if err := output.Chmod(0o666); err != nil { // Envoy opens /dev/stdout again, as an ordinary user
		return nil, err
	}
	process := p.host.Command(p.kubelet.Self, "container", b.Root+".json")
	process.Stdout, process.Stderr = output, output
	process.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true, Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	started, building, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer started.Close()
	process.ExtraFiles = []*os.File{building}
	err = process.Start()
	building.Close()
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadAll(started); err != nil { // until the container's own program runs
		return nil, err
	}
	p.mu.Lock()
	c.process, c.started, c.exit = process.Process, time.Now(), nil
	p.mu.Unlock()
	return process, nil
}

// end stops the containers as a kubelet does: preStop hooks, SIGTERM, then SIGKILL after the grace period; sidecars last.
func (p *pod) end(grace time.Duration) {
	p.mu.Lock()
	p.ending = true
	p.mu.Unlock()
	deadline := time.Now().Add(grace)
	for _, sidecars := range []bool{false, true} {
		var waiting sync.WaitGroup
		for _, c := range p.containers {
			if c.sidecar == sidecars {
				waiting.Go(func() { p.stop(c, deadline) })
			}
		}
		waiting.Wait()
	}
	p.cancel()
	<-p.done
	p.host.Remove()
	os.RemoveAll(p.dir)
}

func (p *pod) stop(c *container, deadline time.Time) {
	p.mu.Lock()
	process := c.process
	p.mu.Unlock()
	if process == nil {
		return
	}
	if hook := c.Lifecycle; hook != nil && hook.PreStop != nil && hook.PreStop.Exec != nil {
		_ = p.inside(process, c.Container, hook.PreStop.Exec.Command, false).Run()
	}
	_ = process.Signal(syscall.SIGTERM)
	for time.Now().Before(deadline) && process.Signal(syscall.Signal(0)) == nil {
		time.Sleep(20 * time.Millisecond)
	}
	_ = process.Kill()
}

// inside runs a command in a container, with the container's rights.
func (p *pod) inside(process *os.Process, c core.Container, command []string, terminal bool) *exec.Cmd {
	image, _ := p.kubelet.image(c.Image)
	environment, err := p.environment(c)
	if err != nil {
		environment = map[string]string{}
	}
	if terminal {
		environment["TERM"] = "xterm"
	}
	args := slices.Concat(
		[]string{"-t", fmt.Sprint(process.Pid), "-m", "-u", "-i", "-n", "-p", "--"},
		p.privileges(c, image), assignments(environment), command,
	)
	return exec.Command("nsenter", args...)
}

func (p *pod) report(ctx context.Context, phase core.PodPhase, message string) {
	p.mu.Lock()
	now := meta.Now()
	status := core.PodStatus{
		Phase: phase, Message: message, PodIP: p.address, PodIPs: []core.PodIP{{IP: p.address}}, HostIP: p.kubelet.Address,
		HostIPs: []core.HostIP{{IP: p.kubelet.Address}}, StartTime: &now,
	}
	ready, initialized := phase == core.PodRunning, phase == core.PodRunning
	for _, c := range p.containers {
		s := core.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: c.Image, Ready: c.ready, RestartCount: c.restarts, Started: &c.up}
		switch {
		case c.process != nil:
			s.State.Running = &core.ContainerStateRunning{StartedAt: meta.NewTime(c.started)}
		case c.exit != nil:
			s.State.Terminated = c.exit
		default:
			s.State.Waiting = &core.ContainerStateWaiting{Reason: "PodInitializing"}
		}
		if c.init {
			if !c.sidecar {
				s.Ready = c.exit != nil
			}
			status.InitContainerStatuses = append(status.InitContainerStatuses, s)
		} else {
			status.ContainerStatuses = append(status.ContainerStatuses, s)
		}
		ready = ready && s.Ready
	}
	p.mu.Unlock()
	for kind, holds := range map[core.PodConditionType]bool{
		core.PodScheduled: true, core.PodInitialized: initialized, core.ContainersReady: ready, core.PodReady: ready,
	} {
		value := core.ConditionFalse
		if holds {
			value = core.ConditionTrue
		}
		status.Conditions = append(status.Conditions, core.PodCondition{Type: kind, Status: value, LastTransitionTime: now})
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		panic(err)
	}
	pods := p.kubelet.client.CoreV1().Pods(p.spec.Namespace)
	if _, err := pods.Patch(ctx, p.spec.Name, types.MergePatchType, patch, meta.PatchOptions{}, "status"); err != nil && ctx.Err() == nil {
		p.kubelet.log("%s/%s: status: %v", p.spec.Namespace, p.spec.Name, err)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
