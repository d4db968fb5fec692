package cases

import "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"

// boundaries are two of one mesh: west deals with east at the first, and with north at the second, which has another port at the same address.
func boundaries() []Case {
	client := func(meshName string) From { return From{meshName, "partners/client"} }
	return inScenario("second-boundary",
		analyzed("second-boundary"),
		ask("boundaries/first-out", guarantee.ExplicitAccess, "West calls east through its first boundary", client("west"), get("http://reviews.partners:9080/"), "200"),
		ask("boundaries/second-out", guarantee.ExplicitAccess, "West calls north through its second boundary", client("west"), get("http://ratings.partners:9080/"), "200"),
		ask("boundaries/first-in", guarantee.ExplicitAccess, "East calls west at the first boundary of west", client("east"), get("http://details.partners:9080/"), "200"),
		ask("boundaries/second-in", guarantee.ExplicitAccess, "North calls west at the second boundary of west, at another port", client("north"), get("http://details.partners:9080/"), "200"),
		ask("boundaries/first-caller", guarantee.EgressCallers, "The egress gateway of the first boundary rejects an unlisted workload", otherAccount, get("http://reviews.partners:9080/"), "503"),
		ask("boundaries/second-caller", guarantee.EgressCallers, "The egress gateway of the second boundary rejects an unlisted workload", otherAccount, get("http://ratings.partners:9080/"), "503"),
		ask("boundaries/first-rule", guarantee.TwoControls, "The first boundary applies its rules to its peer", client("east"), request("POST", "http://details.partners:9080/"), "403"),
		ask("boundaries/second-rule", guarantee.TwoControls, "The second boundary applies its rules to its peer", client("north"), request("POST", "http://details.partners:9080/"), "403"),
	)
}
