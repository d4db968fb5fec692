package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/network"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
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

// keep starts a container, and restarts it when it ends, as restartPolicy Always requires.
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

// observe runs the readiness probes and reports changes to the API server.
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

// probe sends an HTTP probe from the node, as a kubelet does. Probes of other kinds count as passed.
func (p *pod) probe(probe *core.Probe, c *container) bool {
	if probe == nil || probe.HTTPGet == nil {
		return true
	}
	scheme := "http"
	if probe.HTTPGet.Scheme != "" {
		scheme = strings.ToLower(string(probe.HTTPGet.Scheme))
	}
	client := http.Client{Timeout: patience.Of(2 * time.Second), Transport: &http.Transport{DisableKeepAlives: true}}
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
