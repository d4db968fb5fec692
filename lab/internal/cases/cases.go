// Package cases is what the lab tries, and what must come of it.
//
// A case is data and a small function. Most are one probe and the outcome that it must have:
//
//	ask("strangers/no-certificate", guarantee.ServerPerPeer, "The ingress gateway rejects a client without a certificate",
//		outside, toIngress(noCertificate), outcome.NoCertificate)
//
// Cases use API servers, kubectl and exec: none knows how pods run.
package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Case is one promise that is put to the test.
type Case struct {
	Name       string        // group/what-is-tried
	Guarantees guarantee.Set // that it tests
	Expect     string        // what must happen, for people
	Scenario   string        // the manifests that are applied
	Run        func(*T)

	// Attempts are set when the case is just that: things to try, and their outcome. The mutation check repeats these.
	Attempts []Attempt
}

// Attempt is a probe, whose it is, and what must come of it.
type Attempt struct {
	From  From
	Probe func(*federation.Federation) traffic.Probe
	Want  string
	// Read is the answer in a word; without it, Outcome.
	Read func(traffic.Answer) string
	// Words are what Read can return beside the words of package outcome.
	Words []string
	// Do is in place of a probe, for what is tried at the API server.
	Do func(context.Context, *federation.Federation) string
}

func (a Attempt) read(answer traffic.Answer) string {
	if a.Read != nil {
		return a.Read(answer)
	}
	return answer.Outcome()
}

// Check returns an error when the attempt expects what can never come of it.
func (a Attempt) Check() error {
	if a.Read != nil {
		return outcome.CheckDetailed(a.Want, a.Words...)
	}
	return outcome.Check(a.Want)
}

// From is who tries: a workload of a mesh, or somebody outside when Mesh is empty.
type From struct{ Mesh, Workload string }

// Group is the part of the name before the slash.
func (c Case) Group() string { group, _, _ := strings.Cut(c.Name, "/"); return group }

// Result is what came of a case.
type Result struct {
	Case
	Seen     string // what happened, in a few words
	Failures []string
	Took     time.Duration
}

// OK tells whether everything was as it must be.
func (r Result) OK() bool { return len(r.Failures) == 0 }

func (f From) String() string {
	if f.Mesh == "" {
		return "outside"
	}
	return f.Mesh + " " + f.Workload
}

// Play runs one case on meshes on which its scenario is applied.
func Play(ctx context.Context, f *federation.Federation, c Case) Result {
	return run(ctx, f, c, func(ctx context.Context) error { return Settle(ctx, f, f.Current()) })
}

// Settle waits until what a scenario promises to callers is true everywhere: until then, a refusal would say nothing.
func Settle(ctx context.Context, f *federation.Federation, scenario string) error {
	return safely(func() error { return settle(ctx, f, scenario) })
}

func settle(ctx context.Context, f *federation.Federation, scenario string) error {
	time.Sleep(time.Second)
	for _, c := range All() {
		for _, attempt := range c.Attempts {
			if c.Scenario != scenario || attempt.Want != "200" && attempt.Want != "OK" {
				continue
			}
			if err := waitUntil(ctx, f, attempt.From, attempt.Want, attempt.Probe(f)); err != nil {
				return fmt.Errorf("scenario %s does not settle: %w", scenario, err)
			}
		}
	}
	return nil
}

// ask is a case that is one probe.
func ask(name string, guarantees guarantee.Set, expect string, from From, probe func(*federation.Federation) traffic.Probe, want string) Case {
	return attempts(name, guarantees, expect, Attempt{From: from, Probe: probe, Want: want})
}

// attempts is a case that is several probes.
func attempts(name string, guarantees guarantee.Set, expect string, all ...Attempt) Case {
	return Case{Name: name, Guarantees: guarantees, Expect: expect, Attempts: all, Run: func(t *T) {
		var outcomes []string
		for _, attempt := range all {
			answer := t.Try(attempt.From, attempt.Probe(t.Federation))[0]
			got := attempt.read(answer)
			outcomes = append(outcomes, got)
			if !outcome.Matches(got, attempt.Want) {
				t.Errorf("from %s: %s, and not %s%s", attempt.From, got, attempt.Want, detail(answer))
			}
		}
		t.Logf("%s", strings.Join(slices.Compact(outcomes), ", "))
	}}
}

// inScenario sets the scenario of several cases.
func inScenario(scenario string, cases ...Case) []Case {
	for i := range cases {
		cases[i].Scenario = scenario
	}
	return cases
}

// All cases, in the order in which they cost least.
func All() []Case {
	return slices.Concat(works(), protocols(), sources(), wideCallers(), peerOptions(), boundaries(), gateways(), existingGateways(), externalAttackers(), unlistedWorkloads(), otherTenants(), leaks(), timingCases(), lockedWorkloads(), trust(), authorities(), tokens(), framing(), spellings(), monitoring(), nodes(), heldOpen(), bounded(), separation(), weakCertificates(), bookinfo())
}

// findObject finds one among several.
func findObject(objects []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	for _, o := range objects {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	panic(fmt.Sprintf("the manifests hold no %s %s", kind, name))
}

func groupVersionResource(group, version, name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: name}
}

func nestedString(object map[string]any, path ...string) (string, bool, error) {
	return unstructured.NestedString(object, path...)
}
