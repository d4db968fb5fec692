// Package testbed is shared by all groups of cases: the type of a case, callers and targets, requests and the
// evaluation of answers.
//
// Groups import it with a dot, so that a row of a table reads like a sentence: Ask("works/short-name", …,
// Productpage, Get("http://…"), "200").
package testbed

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Case is one test on real proxies.
type Case struct {
	Name       string        // group/what-is-tried
	Guarantees guarantee.Set // that it tests
	Expect     string        // what must happen, for people
	Scenario   string        // the manifests that are applied
	Run        func(*T)

	// Attempts are set when the case is just that: things to try, and their outcome. The mutation check repeats these.
	Attempts []Attempt
}

// Attempt is a probe, the workload that sends it, and the expected outcome.
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

func (a Attempt) OutcomeOf(answer traffic.Answer) string {
	if a.Read != nil {
		return a.Read(answer)
	}
	return answer.Outcome()
}

// Check returns an error when the attempt expects an outcome that can never occur.
func (a Attempt) Check() error {
	if a.Read != nil {
		return outcome.CheckDetailed(a.Want, a.Words...)
	}
	return outcome.Check(a.Want)
}

// From is the workload that sends a probe; an empty Mesh means a host outside of all meshes.
type From struct{ Mesh, Workload string }

// Group is the part of the name before the slash.
func (c Case) Group() string { group, _, _ := strings.Cut(c.Name, "/"); return group }

// Result is the outcome of a case.
type Result struct {
	Case
	Seen     string // what happened, in a few words
	Failures []string
	Took     time.Duration
}

// OK reports whether the case passed.
func (r Result) OK() bool { return len(r.Failures) == 0 }

// Caller is a workload of a mesh that sends probes, named "namespace/app".
func Caller(meshName, workload string) From { return From{meshName, workload} }

func (f From) String() string {
	if f.Mesh == "" {
		return "outside"
	}
	return f.Mesh + " " + f.Workload
}

// Ask builds a case of one probe.
func Ask(name string, guarantees guarantee.Set, expect string, from From, probe func(*federation.Federation) traffic.Probe, want string) Case {
	return Attempts(name, guarantees, expect, Attempt{From: from, Probe: probe, Want: want})
}

// Attempts builds a case of several probes.
func Attempts(name string, guarantees guarantee.Set, expect string, all ...Attempt) Case {
	return Case{Name: name, Guarantees: guarantees, Expect: expect, Attempts: all, Run: func(t *T) {
		var outcomes []string
		for _, attempt := range all {
			answer := t.Try(attempt.From, attempt.Probe(t.Federation))[0]
			got := attempt.OutcomeOf(answer)
			outcomes = append(outcomes, got)
			if !outcome.Matches(got, attempt.Want) {
				t.Errorf("from %s: %s, and not %s%s", attempt.From, got, attempt.Want, Detail(answer))
			}
		}
		t.Logf("%s", strings.Join(slices.Compact(outcomes), ", "))
	}}
}

// InScenario sets the scenario of several cases.
func InScenario(scenario string, cases ...Case) []Case {
	for i := range cases {
		cases[i].Scenario = scenario
	}
	return cases
}

// AskDetailed builds a case of one probe that compares the outcome together with the received bytes or trailers.
func AskDetailed(name string, guarantees guarantee.Set, expect string, from From, probe func(*federation.Federation) traffic.Probe, want string) Case {
	read := func(answer traffic.Answer) string {
		text := answer.Outcome()
		switch {
		case answer.GRPC != "" && Header(answer.Trailer, "x-lab-trailer") != "":
			text += ": x-lab-trailer: " + Header(answer.Trailer, "x-lab-trailer")
		case answer.GRPC == "" && answer.Body != "":
			text += ": " + strings.Join(strings.Fields(answer.Body), " ")
		}
		return text
	}
	return Attempts(name, guarantees, expect, Attempt{From: from, Probe: probe, Want: want, Read: read})
}

func Analyzed(scenario string) Case {
	return Case{Name: "works/analyze-" + scenario, Guarantees: guarantee.ValidObjects, Expect: "`istioctl analyze` reports no warning for the scenario " + scenario, Run: func(t *T) {
		for _, m := range t.Meshes() {
			messages, err := m.Analyze(t.Context())
			t.Must(err)
			for _, message := range messages {
				t.Errorf("mesh %s: %s", m.Name, message)
			}
		}
		t.Logf("no warning in %d meshes", len(t.Meshes()))
	}}
}
