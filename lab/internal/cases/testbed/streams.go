package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// RefusedInTime logs when the last call succeeded, and fails unless that was within a second after kubectl ended.
func RefusedInTime(t *T, samples []traffic.Sample, began, applied time.Time) {
	var last time.Time
	after := 0
	for _, sample := range samples {
		if sample.Outcome != "200" {
			continue
		}
		if sample.At.After(applied) {
			after++
		}
		last = sample.At
	}
	others := OtherThan(samples, "200")
	t.Logf("%d sent; kubectl took %.1f s; the last call that got through was asked %+.2f s from its end (%d after its end)",
		len(samples), applied.Sub(began).Seconds(), last.Sub(applied).Seconds(), after)
	if len(others) == 0 {
		t.Errorf("no call was rejected")
		return
	}
	t.Logf("then %s", Summarize(others, applied))
	if last.Sub(applied) > time.Second {
		t.Errorf("calls got through for %.1f s after kubectl was done", last.Sub(applied).Seconds())
	}
	if early := others[0].At; early.Before(began) {
		t.Errorf("a call failed before anything was changed: %s", others[0].Outcome)
	}
	if wrong := OtherThan(others, "403 | 404 | 503"); len(wrong) > 0 {
		t.Errorf("rejected with another status than 403, 404 or 503: %s", Summarize(wrong, applied))
	}
}

// OncePerConnection configures west's proxies to open a new TLS connection for every request, to the egress gateway and
// to the peer.
func (t *T) OncePerConnection() { t.OncePerConnectionIn(t.West) }

func (t *T) OncePerConnectionIn(m *mesh.Mesh) {
	for _, o := range t.Manifests(m, "DestinationRule") {
		t.ChangeObject(m, o, func(rule map[string]any) {
			policy, _, _ := unstructured.NestedMap(rule, "spec", "trafficPolicy")
			if policy == nil {
				policy = map[string]any{}
			}
			t.Must(unstructured.SetNestedField(policy, int64(1), "connectionPool", "http", "maxRequestsPerConnection"))
			t.Must(unstructured.SetNestedMap(rule, policy, "spec", "trafficPolicy"))
		})
	}
}

// Rolled waits until every pod of a Deployment is of its newest version.
func Rolled(ctx context.Context, m *mesh.Mesh, namespace, name string) error {
	return m.RolledOut(ctx, namespace, "deployment/"+name)
}

// Stream is a probe that goes on until it is stopped.
type Stream struct {
	Name string
	stop func() ([]traffic.Sample, error)
}

// Stream starts one. It ends with the case at the latest.
func (t *T) Stream(name string, from From, p traffic.Probe) *Stream {
	s := &Stream{Name: name}
	if from.Mesh == "" {
		s.stop = sync.OnceValues(t.streamOutside(p))
	} else {
		load, err := t.Mesh(from.Mesh).StartLoad(t.Context(), from.Workload, p)
		t.Must(err)
		s.stop = sync.OnceValues(load.Stop)
	}
	t.Restore(func(context.Context) error { _, err := s.stop(); return err })
	return s
}

// streamOutside starts a stream on the host outside of all meshes.
func (t *T) streamOutside(p traffic.Probe) func() ([]traffic.Sample, error) {
	command := t.Lab.Outside("probe")
	input, err := command.StdinPipe()
	t.Must(err)
	var out bytes.Buffer
	command.Stdout = &out
	t.Must(command.Start())
	t.Must(json.NewEncoder(input).Encode([]traffic.Probe{p}))
	return func() ([]traffic.Sample, error) {
		input.Close()
		if err := command.Wait(); err != nil {
			return nil, err
		}
		var answers []traffic.Answer
		if err := json.Unmarshal(out.Bytes(), &answers); err != nil {
			return nil, err
		}
		return answers[0].Samples, nil
	}
}

// Samples ends a stream.
func (t *T) Samples(s *Stream) []traffic.Sample {
	samples, err := s.stop()
	t.Must(err)
	if len(samples) == 0 {
		t.Errorf("%s: nothing was sent", s.Name)
	}
	return samples
}

// Steady ends a stream in which no request may fail, and logs the number of requests.
func (t *T) Steady(s *Stream) []traffic.Sample {
	samples := t.Samples(s)
	failed := OtherThan(samples, "200")
	t.Logf("%s: %d sent, %d failed", s.Name, len(samples), len(failed))
	if len(failed) > 0 {
		t.Errorf("%s: %s", s.Name, Summarize(failed, samples[0].At))
	}
	return samples
}

// OtherThan returns the samples with another outcome.
func OtherThan(samples []traffic.Sample, want string) []traffic.Sample {
	var others []traffic.Sample
	for _, sample := range samples {
		if !outcome.Matches(sample.Outcome, want) {
			others = append(others, sample)
		}
	}
	return others
}

// Summarize counts the outcomes, and gives the time of the first and the last request.
func Summarize(samples []traffic.Sample, began time.Time) string {
	by := map[string]int{}
	for _, sample := range samples {
		by[sample.Outcome]++
	}
	var parts []string
	for _, outcome := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%d × %s", by[outcome], outcome))
	}
	first, last := samples[0].At.Sub(began), samples[len(samples)-1].At.Sub(began)
	return fmt.Sprintf("%s between %.1f s and %.1f s", strings.Join(parts, ", "), first.Seconds(), last.Seconds())
}

// Pause waits.
func (t *T) Pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Must(context.Cause(t.Context()))
	}
}

// ApplySet applies a file as the quick start describes: objects that the file lacks are pruned.
func ApplySet(t *T, m *mesh.Mesh, file string) {
	_, err := m.Kubectl(t.Context(), "", "apply", "--server-side", "--prune", "--applyset=configmap/federation", "-n", federation.Boundary, "-f", file)
	t.Must(err)
}

// RestoreScenario applies the scenario again at the end of the case.
func (t *T) RestoreScenario() {
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	t.Restore(func(ctx context.Context) error {
		for _, m := range []*mesh.Mesh{t.East, t.West} {
			for _, file := range t.Files(t.Current(), m.Name) {
				if err := m.ApplyFile(ctx, file); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
