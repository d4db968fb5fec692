package gateways

import (
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
)

// SecondBoundary are cases with two boundaries of west: the first one for east, and the second one for north, at
// another port of the same address.
func SecondBoundary() []Case {
	client := func(meshName string) From { return Caller(meshName, "partners/client") }
	return InScenario("second-boundary",
		Analyzed("second-boundary"),
		Ask("boundaries/first-out", guarantee.ExplicitAccess, "West calls east through its first boundary", client("west"), Get("http://reviews.partners:9080/"), "200"),
		Ask("boundaries/second-out", guarantee.ExplicitAccess, "West calls north through its second boundary", client("west"), Get("http://ratings.partners:9080/"), "200"),
		Ask("boundaries/first-in", guarantee.ExplicitAccess, "East calls west at the first boundary of west", client("east"), Get("http://details.partners:9080/"), "200"),
		Ask("boundaries/second-in", guarantee.ExplicitAccess, "North calls west at the second boundary of west, at another port", client("north"), Get("http://details.partners:9080/"), "200"),
		Ask("boundaries/first-caller", guarantee.EgressCallers, "The egress gateway of the first boundary rejects an unlisted workload", OtherAccount, Get("http://reviews.partners:9080/"), "503"),
		Ask("boundaries/second-caller", guarantee.EgressCallers, "The egress gateway of the second boundary rejects an unlisted workload", OtherAccount, Get("http://ratings.partners:9080/"), "503"),
		Ask("boundaries/first-rule", guarantee.TwoControls, "The first boundary applies its rules to its peer", client("east"), Request("POST", "http://details.partners:9080/"), "403"),
		Ask("boundaries/second-rule", guarantee.TwoControls, "The second boundary applies its rules to its peer", client("north"), Request("POST", "http://details.partners:9080/"), "403"),
	)
}
