// Package works has the cases for calls that must succeed, in most scenarios.
package works

import (
	"slices"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Cases are the allowed calls of most scenarios.
func Cases() []Case {
	return slices.Concat(
		InScenario("no-exports",
			Case{Name: "works/no-exports", Guarantees: guarantee.ExplicitAccess, Expect: "Without an export, the library generates no listener and no load balancer", Run: nothingThere},
		),
		InScenario("two-meshes-http",
			Ask("works/short-name", guarantee.ExplicitAccess, "The allowed caller reaches reviews by its short name", Productpage, Get("http://reviews:9080/reviews/0"), "200"),
			Ask("works/namespaced-name", guarantee.ExplicitAccess, "The allowed caller reaches reviews by name and namespace", Productpage, Get("http://reviews.default:9080/reviews/0"), "200"),
			Ask("works/service-name", guarantee.ExplicitAccess, "The allowed caller reaches reviews by name, namespace and svc", Productpage, Get("http://reviews.default.svc:9080/reviews/0"), "200"),
			Ask("works/full-name", guarantee.ExplicitAccess, "The allowed caller reaches reviews by its full name", Productpage, Get("http://reviews.default.svc.cluster.local:9080/reviews/0?u=a%2Fb"), "200"),
			Case{Name: "works/backend-sees-its-own-name", Guarantees: guarantee.NothingInternal, Expect: "The backend receives its own full name as Host, and the name of the calling peer in a header", Run: backendSees},
			Ask("works/method-rule", guarantee.TwoControls, "The exporter denies a method that no rule allows", Productpage, Request("POST", "http://reviews:9080/reviews/0"), "403"),
			Ask("works/method-rule-head", guarantee.TwoControls, "The exporter denies HEAD where the rules allow only GET", Productpage, Request("HEAD", "http://reviews:9080/reviews/0"), "403"),
			Ask("works/path-rule", guarantee.TwoControls, "The exporter denies a path that no rule allows", Productpage, Get("http://reviews:9080/admin"), "403"),
			Case{Name: "works/apply-twice", Guarantees: guarantee.Reproducible | guarantee.ValidObjects, Expect: "Applying the same files a second time changes no object", Run: appliedTwice},
			Analyzed("two-meshes-http"),
		),
		InScenario("separate-apps",
			Ask("works/separate-programs", guarantee.ExplicitAccess, "Two programs without common code generate meshes that call each other", Productpage, Get("http://reviews:9080/reviews/0"), "200"),
			Ask("works/separate-programs-refuse", guarantee.ExplicitAccess, "Two programs without common code deny a caller that the binding does not list", OtherAccount, Get("http://reviews:9080/reviews/0"), "503"),
		),
		InScenario("renamed-everything",
			Ask("works/renamed", guarantee.DeclaredNames, "A call succeeds when service, namespace and port have different names in the two meshes", Caller("west", "finance/checkout"), Request("POST", "http://debit.finance/withdrawals"), "200"),
			Ask("works/renamed-refuses", guarantee.ExplicitAccess|guarantee.TwoControls, "The exporter's rules apply to calls by a different local name", Caller("west", "finance/checkout"), Request("POST", "http://debit.finance/accounts"), "403"),
		),
		InScenario("three-meshes",
			Analyzed("three-meshes"),
			Ask("works/third-mesh", guarantee.ServerPerPeer, "Two peers call one exporter, each under its own rules: west may write", Caller("west", "west/client"), Request("POST", "http://ledger.partners:8080/entries"), "200"),
			Ask("works/third-mesh-own-rules", guarantee.TwoControls, "The exporter denies reads by west, which may only write", Caller("west", "west/client"), Get("http://ledger.partners:8080/entries/1"), "403"),
			Ask("works/third-mesh-reads", guarantee.ServerPerPeer, "The exporter allows reads by north", Caller("north", "north/client"), Get("http://ledger.partners:8080/entries/1"), "200"),
			Ask("works/third-mesh-second-port", guarantee.ServerPerPeer, "North reaches a second exported port of the same service", Caller("north", "north/client"), Get("http://ledger.partners/balance"), "200"),
			Ask("works/third-mesh-writes-not", guarantee.TwoControls, "The exporter denies writes by north, which may only read", Caller("north", "north/client"), Request("POST", "http://ledger.partners:8080/entries"), "403"),
			Ask("works/second-namespace", guarantee.ExplicitAccess, "The egress gateway accepts callers of both namespaces that the binding lists", Caller("west", "partners/batch"), Request("POST", "http://ledger.partners:8080/entries"), "200"),
			Ask("works/port-not-granted", guarantee.ExplicitAccess, "West cannot reach a port that was granted only to north", Caller("west", "west/client"), Get("http://ledger.partners/balance"), "closed | reset | refused | timeout | 503 | 502"),
		),
		InScenario("both-directions",
			Analyzed("both-directions"),
			Ask("works/both-directions-there", guarantee.ExplicitAccess, "West calls east in a federation of both directions", Productpage, Get("http://reviews:9080/reviews/0"), "200"),
			Ask("works/both-directions-back", guarantee.ExplicitAccess, "East calls west in a federation of both directions, at static addresses and another public port", Caller("east", "default/reviews"), Get("http://details.catalogue:9080/details/0"), "200"),
		),
		InScenario("declared-but-closed",
			Ask("works/no-callers", guarantee.ExplicitAccess, "A binding without callers lets no workload through", Productpage, Get("http://reviews:9080/reviews/0"), "503"),
		),
	)
}

// Bookinfo is the example of the README. It has applications of its own, so it comes last.
func Bookinfo() []Case {
	return InScenario("bookinfo",
		Ask("works/bookinfo", guarantee.ExplicitAccess, "The productpage of the demo reaches its reviews", Caller("west", "default/productpage"), Get("http://reviews:9080/reviews/0"), "200"),
		Ask("works/bookinfo-refuses", guarantee.TwoControls, "The productpage of the demo is denied every other path of reviews", Caller("west", "default/productpage"), Get("http://reviews:9080/health"), "403"),
		Ask("works/bookinfo-details-not", guarantee.ExplicitAccess, "The details workload of the demo cannot call reviews", Caller("west", "default/details"), Get("http://reviews:9080/reviews/0"), "503"),
	)
}

func backendSees(t *T) {
	answer := t.Try(Productpage, Reviews("/reviews/0"))[0]
	if answer.Seen == nil {
		t.Errorf("no answer of the backend: %s", answer.Outcome())
		return
	}
	t.Logf("Host %s, x-federation-peer %s", answer.Seen.Host, Header(answer.Seen.Header, "x-federation-peer"))
	if answer.Seen.Host != ReviewsHost {
		t.Errorf("the backend sees Host %q", answer.Seen.Host)
	}
	if peer := Header(answer.Seen.Header, "x-federation-peer"); peer != "west" {
		t.Errorf("the backend receives x-federation-peer %q", peer)
	}
}

func appliedTwice(t *T) {
	total := 0
	for _, m := range t.Meshes() {
		changed, count, err := t.Unchanged(t.Context(), m)
		t.Must(err)
		total += count
		for _, key := range changed {
			t.Errorf("mesh %s: %s has changed", m.Name, key)
		}
	}
	t.Logf("%d objects unchanged", total)
}

func nothingThere(t *T) {
	for _, m := range t.Meshes() {
		services, err := m.List(t.Context(), GroupVersionResource("", "v1", "services"), "")
		t.Must(err)
		for _, service := range services {
			if kind, _, _ := NestedString(service.Object, "spec", "type"); kind == "LoadBalancer" {
				t.Errorf("mesh %s has the load balancer %s", m.Name, service.GetName())
			}
		}
	}
	answer := t.Try(Outside, traffic.Probe{Kind: "tcp", URL: "tcp://" + EastAddress})[0]
	t.Logf("%s", answer.Outcome())
	if !outcome.Matches(answer.Outcome(), "refused | unreachable | timeout") {
		t.Errorf("the port is %s", answer.Outcome())
	}
}
