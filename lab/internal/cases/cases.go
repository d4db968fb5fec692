// Package cases is what the lab tries, and what must come of it.
//
// A case is data and a small function. Most are one probe and the outcome that it must have:
//
//	ask("strangers/no-certificate", guarantee.ServerPerPeer, "The ingress gateway rejects a client without a certificate",
//		fromOutside(ingress(reviewsSNI, tls())), "alert: certificate required")
//
// Cases use API servers, kubectl and exec: none knows how pods run.
package cases

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
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

// T is handed to a case while it runs.
type T struct {
	*federation.Federation
	Context  context.Context
	seen     []string
	failures []string
	cleanup  []func(context.Context) error
}

// endOfCase ends a case from inside.
type endOfCase struct{}

// Errorf notes what is not as it must be; the case goes on.
func (t *T) Errorf(format string, args ...any) {
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

// Must ends the case when something that it needs did not work.
func (t *T) Must(err error) {
	if err != nil {
		t.Errorf("%v", err)
		panic(endOfCase{})
	}
}

// Seen notes what happened, for the table.
func (t *T) Seen(format string, args ...any) { t.seen = append(t.seen, fmt.Sprintf(format, args...)) }

// Cleanup runs when the case is over, the last one first.
func (t *T) Cleanup(run func(context.Context) error) { t.cleanup = append(t.cleanup, run) }

// Put applies objects for as long as the case runs.
func (t *T) Put(m *mesh.Mesh, text string) {
	objects := parseObjects(t, text)
	t.Cleanup(func(ctx context.Context) error { return m.Delete(ctx, objects...) })
	t.Must(m.Put(t.Context, objects...))
}

// Again applies the scenario once more and waits until it holds: for the clean-up of cases that have changed something.
func (t *T) Again(ctx context.Context) error {
	if err := t.Federation.Again(ctx); err != nil {
		return err
	}
	return Settle(ctx, t.Federation, t.Current())
}

// Try probes and returns the answers.
func (t *T) Try(from From, probes ...traffic.Probe) []traffic.Answer {
	answers, err := probe(t.Context, t.Federation, from, probes...)
	t.Must(err)
	return answers
}

// Want probes and compares the outcome.
func (t *T) Want(from From, want string, probes ...traffic.Probe) {
	t.Must(outcome.Check(want))
	for i, answer := range t.Try(from, probes...) {
		if got := answer.Outcome(); !outcome.Matches(got, want) {
			t.Errorf("%s %s from %s: %s, and not %s%s", probes[i].Method, probes[i].URL, from, got, want, detail(answer))
		}
	}
}

// Until probes again and again until the outcome is the wanted one, and returns how long that took.
func (t *T) Until(from From, want string, probe traffic.Probe) time.Duration {
	began := time.Now()
	t.Must(waitUntil(t.Context, t.Federation, from, want, probe))
	return time.Since(began)
}

func (f From) String() string {
	if f.Mesh == "" {
		return "outside"
	}
	return f.Mesh + " " + f.Workload
}

func probe(ctx context.Context, f *federation.Federation, from From, probes ...traffic.Probe) ([]traffic.Answer, error) {
	if from.Mesh == "" {
		return f.Outside(probes...)
	}
	return f.Mesh(from.Mesh).Probe(ctx, from.Workload, probes...)
}

func waitUntil(ctx context.Context, f *federation.Federation, from From, want string, p traffic.Probe) error {
	if err := outcome.Check(want); err != nil {
		return err
	}
	return mesh.Wait(ctx, time.Minute, func() error {
		answers, err := probe(ctx, f, from, p)
		if err == nil && !outcome.Matches(answers[0].Outcome(), want) {
			err = fmt.Errorf("%s from %s: %s, and not %s%s", p.URL, from, answers[0].Outcome(), want, detail(answers[0]))
		}
		return err
	})
}

func detail(answer traffic.Answer) string {
	text := answer.Error
	if text == "" {
		text = strings.TrimSpace(answer.Body)
	}
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// safely turns a panic into an error, so that labs are taken away whatever a case does. The end that Must makes is none.
func safely(run func() error) (err error) {
	defer func() {
		switch caught := recover().(type) {
		case nil, endOfCase:
		default:
			err = fmt.Errorf("panic: %v\n%s", caught, debug.Stack())
		}
	}()
	return run()
}

// Play runs one case on meshes on which its scenario is applied.
func Play(ctx context.Context, f *federation.Federation, c Case) (result Result) {
	ctx, cancel := context.WithTimeout(ctx, patience.Of(4*time.Minute))
	defer cancel()
	began := time.Now()
	t := &T{Federation: f, Context: ctx}
	if err := safely(func() error { c.Run(t); return nil }); err != nil {
		t.Errorf("%v", err)
	}
	for _, run := range slices.Backward(t.cleanup) {
		if err := safely(func() error { return run(context.WithoutCancel(ctx)) }); err != nil {
			t.Errorf("clean-up: %v", err)
		}
	}
	return Result{Case: c, Seen: strings.Join(t.seen, "; "), Failures: t.failures, Took: time.Since(began)}
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
		t.Seen("%s", strings.Join(slices.Compact(outcomes), ", "))
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
