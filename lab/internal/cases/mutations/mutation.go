// Package mutations removes protections from the manifests, one at a time, and checks that a case fails.
package mutations

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
)

// Mutation removes one protection from the manifests; a case must fail.
//
// Protections are layered on purpose, so many have an effect only while the layers above are disabled, or while another
// tenant attacks: both are in place before and after, and only this one protection changes.
type Mutation struct {
	Name       string
	Guarantees guarantee.Set
	Scenario   string // the scenario whose manifests are changed
	Mesh       string
	Kind       string
	Object     string
	Change     func(*unstructured.Unstructured) // nil takes the whole object away

	Off    []string          // mutations that are in effect as well
	Attack map[string]string // objects of another tenant, by mesh
	Extra  []Attempt         // tried in addition to the cases' own attempts
	// Impostor answers in place of the peer's gateway, with this certificate.
	Impostor CertificateSource
	Cannot   string // why no case can notice
}

// Subject is the object that is changed or removed.
func (m Mutation) Subject() string { return fmt.Sprintf("%s %s", m.Kind, m.Object) }

// MutationResult lists the attempts that had another outcome.
type MutationResult struct {
	Mutation
	Noticed []string // "case: before → after"
	Error   error
}

// OK reports whether a case failed without the protection, or the mutation states why none can.
func (r MutationResult) OK() bool { return r.Error == nil && (len(r.Noticed) > 0 || r.Cannot != "") }

// FirstScenario is the scenario of which every object is mutated. In other scenarios, only objects and fields that the
// first one lacks are mutated.
const FirstScenario = "two-meshes-http"

func mutationNamed(name string) Mutation {
	for _, mutation := range All() {
		if mutation.Name == name {
			return mutation
		}
	}
	panic("there is no mutation " + name)
}

// Layered reports whether other protections were disabled, or another tenant attacked.
func (m Mutation) Layered() bool { return m.Off != nil || m.Attack != nil || m.Impostor != nil }

// Around describes what was disabled or added as well.
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

// Failures describe why the mutation did not pass.
func (r MutationResult) Failures() []string {
	switch {
	case r.OK():
		return nil
	case r.Error != nil:
		return []string{r.Error.Error()}
	}
	return []string{"no case fails without this protection"}
}

// Summary is the first case that failed, or the reason why no case can fail.
func (r MutationResult) Summary() string {
	switch {
	case r.Cannot != "":
		return "not tested: " + r.Cannot
	case len(r.Noticed) == 0:
		return "no case failed"
	}
	// A call that is wrongly allowed says more than a call that fails. If only the latter happens, the page states it.
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

// All are the mutations of the protections in the first scenario's manifests, and of those that only other scenarios
// have.
func All() []Mutation {
	return slices.Concat(
		takenFrom(FirstScenario, eastProtections(), westProtections(), admission(), unenforced()),
		takenFrom("protocols", protocolsTakenAway()), takenFrom("wide-callers", wideTakenAway()), takenFrom("peer-options", peerOptionsTakenAway()), takenFrom("locked", locksTakenAway()),
		takenFrom("tokens", tokensTakenAway()),
		takenFrom("existing-gateways", sharedTakenAway()),
		takenFrom("spellings", spellingsTakenAway()),
		takenFrom(federation.HostileMeshConfig, meshConfigTakenAway()), takenFrom("traced", tracesTakenAway()),
		takenFrom("several-clusters", clustersTakenAway()),
	)
}

// takenFrom sets the scenario of mutations.
func takenFrom(scenario string, mutations ...[]Mutation) []Mutation {
	all := slices.Concat(mutations...)
	for i := range all {
		all[i].Scenario = scenario
	}
	return all
}
