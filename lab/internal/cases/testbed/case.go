// Package testbed is what all groups of cases share: what a case is, who calls whom, how requests are made and
// answers are read.
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

func (a Attempt) OutcomeOf(answer traffic.Answer) string {
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

// Caller is a workload of a mesh that tries something, named "namespace/app".
func Caller(meshName, workload string) From { return From{meshName, workload} }

func (f From) String() string {
	if f.Mesh == "" {
		return "outside"
	}
	return f.Mesh + " " + f.Workload
}

// Ask is a case that is one probe.
func Ask(name string, guarantees guarantee.Set, expect string, from From, probe func(*federation.Federation) traffic.Probe, want string) Case {
	return Attempts(name, guarantees, expect, Attempt{From: from, Probe: probe, Want: want})
}

// Attempts is a case that is several probes.
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

// AskDetailed is a case that is one probe, and what it brought: the outcome, and the bytes or the trailers that came.
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
