package cases

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/mutations"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

func TestEveryCaseHasANameOfItsOwnAGuaranteeAndAScenario(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.Name] {
			t.Errorf("two cases are called %s", c.Name)
		}
		seen[c.Name] = true
		if !c.Guarantees.Valid() || c.Expect == "" || c.Scenario == "" || c.Run == nil {
			t.Errorf("%s lacks a guarantee, an expectation, a scenario or what to do", c.Name)
		}
		if group, rest, _ := strings.Cut(c.Name, "/"); group == "" || rest == "" {
			t.Errorf("%s is no group/name", c.Name)
		}
	}
}

var conjunction = regexp.MustCompile(`(?i)^(and|nor|also|but|or|so|neither)\b`)

// A row of docs/proof.md, a failure and a link to one case are read without the rows around them.
func TestEveryExpectationIsASentenceThatCanBeReadAlone(t *testing.T) {
	seen := map[string]string{}
	for _, c := range All() {
		if conjunction.MatchString(c.Expect) {
			t.Errorf("the expectation of %s begins with a conjunction: %q", c.Name, c.Expect)
		}
		if len(strings.Fields(c.Expect)) < 4 {
			t.Errorf("the expectation of %s has fewer than four words: %q", c.Name, c.Expect)
		}
		if seen[c.Expect] != "" {
			t.Errorf("%s and %s have the same expectation: %q", seen[c.Expect], c.Name, c.Expect)
		}
		seen[c.Expect] = c.Name
	}
	for _, m := range Mutations() {
		if m.Cannot != "" && (conjunction.MatchString(m.Cannot) || len(strings.Fields(m.Cannot)) < 4) {
			t.Errorf("the reason why no case notices mutation %s cannot be read alone: %q", m.Name, m.Cannot)
		}
	}
}

func TestThereAreEnoughCases(t *testing.T) {
	if count := len(All()); count < 60 {
		t.Errorf("%d cases", count)
	}
}

func TestMutationsHaveNamesOfTheirOwnAndSwitchOffWhatExists(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Mutations() {
		if seen[m.Name] {
			t.Errorf("two mutations are called %s", m.Name)
		}
		if !m.Guarantees.Valid() {
			t.Errorf("mutation %s lacks a guarantee", m.Name)
		}
		seen[m.Name] = true
	}
	for _, m := range Mutations() {
		for _, off := range m.Off {
			if !seen[off] {
				t.Errorf("%s switches off %s, which does not exist", m.Name, off)
			}
		}
	}
}

// notMutated are objects that protect nothing by themselves, or that other cases test better than a mutation would.
var notMutated = map[string]string{
	"ConfigMap fed-in-trust-west":                         "time/ca-object-deleted, order/trust-last",
	"ConfigMap fed-out-trust":                             "time/ca-object-deleted, order/trust-last",
	"ConfigMap fed-in-bootstrap":                          "the group bounded",
	"ConfigMap fed-out-bootstrap":                         "the group bounded",
	"ServiceAccount federation-ingress":                   "leaks/no-tokens",
	"ServiceAccount federation-egress":                    "leaks/no-tokens",
	"Service federation-ingress":                          "the way in",
	"Namespace istio-federation":                          "the same in both meshes",
	"NetworkPolicy federation-default-deny":               "the same in both meshes",
	"HorizontalPodAutoscaler federation-egress":           "as east's",
	"PodDisruptionBudget federation-egress":               "as east's",
	"Telemetry federation-egress":                         "as east's",
	"ValidatingAdmissionPolicy istio-federation-boundary": "as west's",
}

func TestEveryObjectOfTheManifestsIsTakenAwayOrChangedOnce(t *testing.T) {
	changed := map[string]bool{}
	for _, m := range Mutations() {
		if m.Scenario == mutations.FirstScenario {
			changed[m.Mesh+" "+m.Subject()] = true
		}
	}
	for _, meshName := range []string{"east", "west"} {
		objects, err := mesh.ObjectsOf(filepath.Join("..", "..", "..", "test", "scenarios", mutations.FirstScenario, meshName+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			name := o.GetKind() + " " + o.GetName()
			if !changed[meshName+" "+name] && notMutated[name] == "" {
				t.Errorf("%s of mesh %s: no mutation removes it", name, meshName)
			}
		}
	}
}
