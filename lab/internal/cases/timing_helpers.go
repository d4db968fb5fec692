package cases

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
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

// oncePerConnection makes the proxies open a new TLS connection for every request, on both ways over which requests leave west.
func (t *T) oncePerConnection() { t.oncePerConnectionIn(t.West) }

func (t *T) oncePerConnectionIn(m *mesh.Mesh) {
	for _, o := range t.manifests(m, "DestinationRule") {
		t.changeObject(m, o, func(rule map[string]any) {
			policy, _, _ := unstructured.NestedMap(rule, "spec", "trafficPolicy")
			if policy == nil {
				policy = map[string]any{}
			}
			t.Must(unstructured.SetNestedField(policy, int64(1), "connectionPool", "http", "maxRequestsPerConnection"))
			t.Must(unstructured.SetNestedMap(rule, policy, "spec", "trafficPolicy"))
		})
	}
}

// rolled waits until every pod of a Deployment is of its newest version: mesh.Ready would be content with a ready pod of the old one.
func rolled(ctx context.Context, m *mesh.Mesh, namespace, name string) error {
	return m.RolledOut(ctx, namespace, "deployment/"+name)
}

// stream is a probe that goes on until it is stopped.
type stream struct {
	name string
	stop func() ([]traffic.Sample, error)
}

// stream starts one. It ends with the case at the latest.
func (t *T) stream(name string, from From, p traffic.Probe) *stream {
	s := &stream{name: name}
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

// streamOutside starts one on the host that belongs to no mesh.
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

// samples ends a stream.
func (t *T) samples(s *stream) []traffic.Sample {
	samples, err := s.stop()
	t.Must(err)
	if len(samples) == 0 {
		t.Errorf("%s: nothing was sent", s.name)
	}
	return samples
}

// steady ends a stream none of whose requests may fail, and says how many there were.
func (t *T) steady(s *stream) []traffic.Sample {
	samples := t.samples(s)
	failed := otherThan(samples, "200")
	t.Logf("%s: %d sent, %d failed", s.name, len(samples), len(failed))
	if len(failed) > 0 {
		t.Errorf("%s: %s", s.name, summarize(failed, samples[0].At))
	}
	return samples
}

// otherThan are the samples with another outcome.
func otherThan(samples []traffic.Sample, want string) []traffic.Sample {
	var others []traffic.Sample
	for _, sample := range samples {
		if !outcome.Matches(sample.Outcome, want) {
			others = append(others, sample)
		}
	}
	return others
}

// summarize is how many of each outcome there are, and when the first and the last of them were asked.
func summarize(samples []traffic.Sample, began time.Time) string {
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

// pause lets time pass.
func (t *T) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Must(context.Cause(t.Context()))
	}
}

// proxyCertificates is what a proxy shows, and the roots that it trusts inside its mesh. The egress gateway has its certificate twice: for its own mesh,
// and for peers, where it comes from a file that the agent writes.
type proxyCertificates struct {
	leaves map[string]*x509.Certificate // by the name that the proxy has for it
	roots  []*x509.Certificate
}

func (h proxyCertificates) String() string {
	text := fmt.Sprintf("with %d roots", len(h.roots))
	for _, name := range slices.Sorted(maps.Keys(h.leaves)) {
		text += fmt.Sprintf(", %s of %s by %s", name, h.leaves[name].NotBefore.Format(time.TimeOnly), h.leaves[name].Issuer)
	}
	return text
}

// certificatesOf reads what the proxy of a workload holds, from its admin page.
func certificatesOf(ctx context.Context, m *mesh.Mesh, workload string) (proxyCertificates, error) {
	out, err := m.Admin(ctx, workload, "config_dump?resource=dynamic_active_secrets")
	if err != nil {
		return proxyCertificates{}, err
	}
	var dump struct {
		Configs []struct {
			Secret struct {
				Name string
				TLS  struct {
					Chain embedded `json:"certificate_chain"`
				} `json:"tls_certificate"`
				Context struct {
					CA embedded `json:"trusted_ca"`
				} `json:"validation_context"`
			}
		}
	}
	if start := strings.Index(out, "{"); start > 0 {
		out = out[start:] // the agent says something about itself first
	}
	if err := json.Unmarshal([]byte(out), &dump); err != nil {
		return proxyCertificates{}, fmt.Errorf("secrets of %s: %w", workload, err)
	}
	found := proxyCertificates{leaves: map[string]*x509.Certificate{}}
	for _, config := range dump.Configs {
		if text := config.Secret.TLS.Chain.text(); text != "" {
			found.leaves[config.Secret.Name] = parseChain(text)[0]
		}
		if config.Secret.Name == "ROOTCA" {
			found.roots = parseChain(config.Secret.Context.CA.text())
		}
	}
	if len(found.leaves) == 0 || found.roots == nil {
		return found, fmt.Errorf("the proxy of %s has no certificate yet", workload)
	}
	return found, nil
}

type embedded struct {
	Bytes string `json:"inline_bytes"`
}

func (i embedded) text() string {
	data, _ := base64.StdEncoding.DecodeString(i.Bytes)
	return string(data)
}

// parseChain reads certificates from PEM. An unreadable one ends the case, since Play reports a panic.
func parseChain(text string) []*x509.Certificate {
	var all []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			panic(err)
		}
		all = append(all, certificate)
	}
	if len(all) == 0 {
		panic(fmt.Sprintf("no certificate in %q", text))
	}
	return all
}

// applySet applies a file as the quick start says: what the file lacks is taken away.
func applySet(t *T, m *mesh.Mesh, file string) {
	_, err := m.Kubectl(t.Context(), "", "apply", "--server-side", "--prune", "--applyset=configmap/federation", "-n", federation.Boundary, "-f", file)
	t.Must(err)
}
