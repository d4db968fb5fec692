package mesh

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	core "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Exec runs a command in a pod, as kubectl exec does.
func (m *Mesh) Exec(ctx context.Context, pod *core.Pod, container string, stdin io.Reader, command ...string) (string, error) {
	request := m.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("exec").
		VersionedParams(&core.PodExecOptions{Container: container, Command: command, Stdin: stdin != nil, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(m.config, "GET", request.URL().String())
	if err != nil {
		return "", err
	}
	var out, errs bytes.Buffer
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: &out, Stderr: &errs}); err != nil {
		return out.String(), fmt.Errorf("exec in %s/%s: %w: %s", pod.Namespace, pod.Name, err, errs.String())
	}
	return out.String(), nil
}

// Admin reads a page of Envoy's admin interface in the pod of a workload.
func (m *Mesh) Admin(ctx context.Context, workload, page string) (string, error) {
	pod, err := m.Pod(ctx, workload)
	if err != nil {
		return "", err
	}
	return m.Exec(ctx, pod, "istio-proxy", nil, "pilot-agent", "request", "GET", page)
}

// Probe sends probes from a workload.
func (m *Mesh) Probe(ctx context.Context, workload string, probes ...traffic.Probe) ([]traffic.Answer, error) {
	return tell[[]traffic.Answer](ctx, m, workload, "probe", probes)
}

// Attack runs attacks from a workload until they end.
func (m *Mesh) Attack(ctx context.Context, workload string, plans []traffic.Attack) ([]*traffic.Report, error) {
	return tell[[]*traffic.Report](ctx, m, workload, "attack", plans)
}

// tell runs a command of the app in a workload's pod with this input, and returns its output.
func tell[Answer any](ctx context.Context, m *Mesh, workload, command string, input any) (Answer, error) {
	var none Answer
	pod, err := m.Pod(ctx, workload)
	if err != nil {
		return none, err
	}
	data, err := json.Marshal(input)
	if err != nil {
		return none, err
	}
	return answer[Answer](ctx, m, pod, command, bytes.NewReader(data))
}

func answer[Answer any](ctx context.Context, m *Mesh, pod *core.Pod, command string, input io.Reader) (Answer, error) {
	var said Answer
	out, err := m.Exec(ctx, pod, pod.Spec.Containers[0].Name, input, "/usr/local/bin/app", command)
	if err != nil {
		return said, err
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		return said, fmt.Errorf("the output of %s/%s for %s is not valid: %w: %q", pod.Namespace, pod.Name, command, err, out)
	}
	return said, nil
}

// Load is a probe that goes on until it is stopped.
type Load struct {
	input  *io.PipeWriter
	result chan loadResult
}

type loadResult struct {
	answers []traffic.Answer
	err     error
}

// StartLoad repeats a probe from a workload.
func (m *Mesh) StartLoad(ctx context.Context, workload string, probe traffic.Probe) (*Load, error) {
	pod, err := m.Pod(ctx, workload)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal([]traffic.Probe{probe})
	if err != nil {
		return nil, err
	}
	reader, writer := io.Pipe()
	load := &Load{writer, make(chan loadResult, 1)}
	go func() {
		answers, err := answer[[]traffic.Answer](ctx, m, pod, "probe", reader)
		load.result <- loadResult{answers, err}
		reader.Close()
	}()
	if _, err := writer.Write(data); err != nil {
		return nil, err
	}
	return load, nil
}

// Stop ends the load and returns its samples.
func (l *Load) Stop() ([]traffic.Sample, error) {
	l.input.Close()
	result := <-l.result
	if result.err != nil {
		return nil, result.err
	}
	return result.answers[0].Samples, nil
}

// Logs returns the log of a container.
func (m *Mesh) Logs(ctx context.Context, pod *core.Pod, container string) (string, error) {
	data, err := m.Client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &core.PodLogOptions{Container: container}).DoRaw(ctx)
	return string(data), err
}
