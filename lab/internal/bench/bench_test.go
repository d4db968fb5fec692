package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

func rounds(p50s ...time.Duration) []traffic.Load {
	var loads []traffic.Load
	for _, p50 := range p50s {
		loads = append(loads, traffic.Load{Requests: 100, Took: time.Second, P50: p50 * time.Millisecond, P99: 2 * p50 * time.Millisecond})
	}
	return loads
}

func TestRatiosAreMediansOfPairsOfOneRound(t *testing.T) {
	// The machine was three times slower in the second round, for both.
	if got := ratio(rounds(2, 6, 2), rounds(1, 3, 1), p50); got != 2 {
		t.Errorf("%v", got)
	}
	if got := ratio(rounds(1, 2, 3, 4), rounds(1, 1, 1, 1), p50); got != 2.5 {
		t.Errorf("of four rounds: %v", got)
	}
	if got := ratio(nil, nil, p50); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func resultsOf(p50s map[string]time.Duration) Results {
	results := Results{}
	for _, protocol := range Protocols {
		for _, inFlight := range InFlight {
			for _, way := range Ways {
				results[Cell{protocol.Name, inFlight, way.Name}] = rounds(p50s[way.Name])
			}
		}
	}
	return results
}

func TestMissedGoalsAreNamed(t *testing.T) {
	if got := Missed(resultsOf(map[string]time.Duration{direct: 100, terminating: 1000, passing: 950, "federation": 1040})); len(got) != 0 {
		t.Errorf("within the goals: %v", got)
	}
	got := Missed(resultsOf(map[string]time.Duration{direct: 100, terminating: 1000, passing: 600, "federation": 960}))
	if len(got) != 3 || !strings.Contains(got[0], "p50 is 1.60 times that of the "+passing) {
		t.Errorf("slower than the pass-through pair: %v", got)
	}
}

func TestTheTableHasARowForEachCell(t *testing.T) {
	var out bytes.Buffer
	Print(&out, resultsOf(map[string]time.Duration{direct: 1, terminating: 10, passing: 8, "federation": 12, "federation, path rules": 13}))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if want := 1 + len(Protocols)*len(InFlight)*len(Ways); len(lines) != want {
		t.Errorf("%d lines, not %d", len(lines), want)
	}
	if fields := strings.Fields(lines[4]); !strings.Contains(strings.Join(fields, " "), "federation 100 12.00 24.00 12.00 1.20 1.50 1.00 1.00") {
		t.Errorf("row: %q", lines[4])
	}
}

func TestTheManifestsOfThePairsAreObjectsOfTheNamespace(t *testing.T) {
	all, err := manifests(values{East: "one\ntwo\n", West: "three\n", Client: pki.Leaf{Cert: "a\nb\n", Key: "c\n"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, least := range map[string]int{"east": 12, "west": 25} {
		seen := map[string]bool{}
		for _, object := range all[name] {
			if object.GetNamespace() != namespace {
				t.Errorf("%s: %s is in the namespace %q", name, object.GetName(), object.GetNamespace())
			}
			if key := mesh.Key(object); seen[key] {
				t.Errorf("%s: %s is there twice", name, key)
			} else {
				seen[key] = true
			}
		}
		if len(seen) < least {
			t.Errorf("%s: %d objects", name, len(seen))
		}
	}
}
