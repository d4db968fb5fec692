// Package mutations takes protections out of the manifests, one at a time, to find out whether a case notices.
package mutations

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
)

// Mutation takes one protection out of the manifests. If the lab is worth anything, a case notices.
//
// Protections lie in layers on purpose, so many are noticed only when the layers above are off, or when somebody attacks: both are in
// place before and after, and what changes is this one protection.
type Mutation struct {
	Name       string
	Guarantees guarantee.Set
	Scenario   string // whose manifests are changed
	Mesh       string
	Kind       string
	Object     string
	Change     func(*unstructured.Unstructured) // nil takes the whole object away

	Off    []string          // mutations that are in effect as well
	Attack map[string]string // objects of somebody else, by mesh
	Extra  []Attempt         // tried in addition to the cases' own attempts
	// Impostor answers in place of the peer's gateway, with this certificate.
	Impostor CertificateSource
	Cannot   string // why no case can notice
}

// Subject is the object that is changed or taken away.
func (m Mutation) Subject() string { return fmt.Sprintf("%s %s", m.Kind, m.Object) }

// MutationResult says which attempts came out differently.
type MutationResult struct {
	Mutation
	Noticed []string // "case: before → after"
	Error   error
}

// OK tells whether the protection was missed, or why it cannot be.
func (r MutationResult) OK() bool { return r.Error == nil && (len(r.Noticed) > 0 || r.Cannot != "") }

// FirstScenario is the one of which every object is mutated; of others, what it does not have.
const FirstScenario = "two-meshes-http"

func mutationNamed(name string) Mutation {
	for _, mutation := range All() {
		if mutation.Name == name {
			return mutation
		}
	}
	panic("there is no mutation " + name)
}

// Layered tells whether other protections were off, or somebody attacked.
func (m Mutation) Layered() bool { return m.Off != nil || m.Attack != nil || m.Impostor != nil }

// Around is what was switched off or put up as well, for people.
func (m Mutation) Around() string {
	var around []string
	for _, off := range m.Off {
		around = append(around, "`"+off+"`")
	}
	if m.Attack != nil {
		around = append(around, "an object of another tenant")
	}
	if m.Impostor != nil {
		around = append(around, "an impostor in the peer's place")
	}
	return strings.Join(around, ", ")
}

// Failures say what is not as it must be.
func (r MutationResult) Failures() []string {
	switch {
	case r.OK():
		return nil
	case r.Error != nil:
		return []string{r.Error.Error()}
	}
	return []string{"no case fails without this protection"}
}

// Summary is the first to notice, or why nothing can.
func (r MutationResult) Summary() string {
	switch {
	case r.Cannot != "":
		return "not tested: " + r.Cannot
	case len(r.Noticed) == 0:
		return "no case failed"
	}
	// An opening tells more than a call that stops; where only that happens, the page says so.
	first := slices.IndexFunc(r.Noticed, func(one string) bool { return !strings.Contains(one, ": 200 →") })
	agreed := slices.ContainsFunc(r.Noticed, func(one string) bool { return strings.HasPrefix(one, "works/") && strings.Contains(one, ": 200 →") })
	switch {
	case agreed:
		return fmt.Sprintf("the allowed call fails (%d)", len(r.Noticed))
	case first < 0:
		first = 0
	}
	return fmt.Sprintf("%s (%d)", r.Noticed[first], len(r.Noticed))
}

// All are all protections of the first scenario's manifests, taken away one at a time, and those that only others have.
func All() []Mutation {
	return slices.Concat(
		takenFrom(FirstScenario, eastProtections(), westProtections(), admission(), unenforced()),
		takenFrom("protocols", protocolsTakenAway()), takenFrom("wide-callers", wideTakenAway()), takenFrom("peer-options", peerOptionsTakenAway()), takenFrom("locked", locksTakenAway()),
		takenFrom("tokens", tokensTakenAway()),
		takenFrom("existing-gateways", sharedTakenAway()),
		takenFrom("spellings", spellingsTakenAway()),
	)
}

// takenFrom says whose the mutations are.
func takenFrom(scenario string, mutations ...[]Mutation) []Mutation {
	all := slices.Concat(mutations...)
	for i := range all {
		all[i].Scenario = scenario
	}
	return all
}
