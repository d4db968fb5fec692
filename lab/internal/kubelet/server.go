package kubelet

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// Serve answers the API server: exec, logs and port-forward.
func (k *Kubelet) Serve(ctx context.Context, config *tls.Config) error {
	routes := http.NewServeMux()
	routes.HandleFunc("/exec/{namespace}/{pod}/{container}", k.exec)
	routes.HandleFunc("/portForward/{namespace}/{pod}", k.portForward)
	routes.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.logs)
	server := &http.Server{Addr: fmt.Sprintf(":%d", Port), Handler: routes, TLSConfig: config, ReadHeaderTimeout: time.Minute}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	return server.ListenAndServeTLS("", "")
}

func (k *Kubelet) exec(w http.ResponseWriter, r *http.Request) {
	p, c, err := k.find(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(w, r, executor{p, c}, p.spec.Name, string(p.spec.UID), c.Name, r.URL.Query()["command"], options,
		time.Hour, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

type executor struct {
	*pod
	*container
}

func (e executor) ExecInContainer(
	ctx context.Context, _, _, _ string, command []string, in io.Reader, out, errs io.WriteCloser, terminal bool,
	_ <-chan remotecommand.TerminalSize, _ time.Duration,
) error {
	e.pod.mu.Lock()
	process := e.process
	e.pod.mu.Unlock()
	if process == nil {
		return fmt.Errorf("container %s is not running", e.container.Name)
	}
	if terminal { // util-linux's script has the terminal that a shell wants
		command = []string{"script", "-qefc", shellWords(command), "/dev/null"}
	}
	child := e.inside(process, e.Container, command, terminal)
	child.Stdout, child.Stderr = out, errs
	if errs == nil {
		child.Stderr = out
	}
	stdin, err := child.StdinPipe() // os/exec would wait for the caller to close its side
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	if in == nil {
		stdin.Close()
	} else {
		go func() {
			_, _ = io.Copy(stdin, in)
			stdin.Close()
		}()
	}
	stop := context.AfterFunc(ctx, func() { _ = child.Process.Kill() })
	defer stop()
	if err := child.Wait(); err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			return exitError{exit}
		}
		return err
	}
	return nil
}

// exitError passes the exit code to the client.
type exitError struct{ *exec.ExitError }

func (e exitError) String() string  { return e.Error() }
func (e exitError) Exited() bool    { return e.ProcessState.Exited() }
func (e exitError) ExitStatus() int { return e.ExitCode() }

func (k *Kubelet) portForward(w http.ResponseWriter, r *http.Request) {
	p, _, err := k.find(r.PathValue("namespace"), r.PathValue("pod"), "")
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(w, r, forwarder{p}, p.spec.Name, string(p.spec.UID), options, time.Hour, 30*time.Second, portforward.SupportedProtocols)
}

type forwarder struct{ *pod }

// PortForward connects to a port on the pod's loopback, where admin pages listen.
func (f forwarder) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	child := f.host.Command(f.kubelet.Self, "connect", fmt.Sprintf("127.0.0.1:%d", port))
	child.Stdout = stream
	stdin, err := child.StdinPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(stdin, stream)
		stdin.Close()
	}()
	stop := context.AfterFunc(ctx, func() { _ = child.Process.Kill() })
	defer stop()
	return child.Wait()
}

func (k *Kubelet) logs(w http.ResponseWriter, r *http.Request) {
	p, c, err := k.find(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	lines := "+1"
	if tail := r.URL.Query().Get("tailLines"); tail != "" {
		if _, err := strconv.Atoi(tail); err != nil {
			http.Error(w, "tailLines is no number", http.StatusBadRequest)
			return
		}
		lines = tail
	}
	args := []string{"-n", lines, p.log(c.Name)}
	if r.URL.Query().Get("follow") == "true" {
		args = append([]string{"-F"}, args...)
	}
	if _, err := os.Stat(p.log(c.Name)); err != nil {
		return // it has not written anything yet
	}
	tail := exec.CommandContext(r.Context(), "tail", args...)
	tail.Stdout = flusher{w, http.NewResponseController(w)}
	_ = tail.Run()
}

type flusher struct {
	io.Writer
	*http.ResponseController
}

func (f flusher) Write(data []byte) (int, error) {
	n, err := f.Writer.Write(data)
	if err == nil {
		err = f.Flush()
	}
	return n, err
}

func shellWords(words []string) string {
	text := ""
	for _, word := range words {
		text += " '"
		for _, r := range word {
			if r == '\'' {
				text += `'\''`
			} else {
				text += string(r)
			}
		}
		text += "'"
	}
	return text
}
