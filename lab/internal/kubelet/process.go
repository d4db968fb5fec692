package kubelet

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
)

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

// end stops the containers as a kubelet does: preStop hooks, SIGTERM, then SIGKILL after the grace period; sidecars
// last.
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
