package cases

import (
	"slices"
	"strings"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// works are the calls that were agreed, in every scenario.
func works() []Case {
	return slices.Concat(
		inScenario("nothing-exposed",
			Case{Name: "works/nothing-exposed", Guarantees: guarantee.ExplicitAccess, Expect: "Without an export, the library generates no listener and no load balancer", Run: nothingThere},
		),
		inScenario("two-meshes-http",
			ask("works/short-name", guarantee.ExplicitAccess, "The allowed caller reaches reviews by its short name", productpage, get("http://reviews:9080/reviews/0"), "200"),
			ask("works/namespaced-name", guarantee.ExplicitAccess, "The allowed caller reaches reviews by name and namespace", productpage, get("http://reviews.default:9080/reviews/0"), "200"),
			ask("works/service-name", guarantee.ExplicitAccess, "The allowed caller reaches reviews by name, namespace and svc", productpage, get("http://reviews.default.svc:9080/reviews/0"), "200"),
			ask("works/full-name", guarantee.ExplicitAccess, "The allowed caller reaches reviews by its full name", productpage, get("http://reviews.default.svc.cluster.local:9080/reviews/0?u=a%2Fb"), "200"),
			Case{Name: "works/backend-sees-its-own-name", Guarantees: guarantee.NothingInternal, Expect: "The backend receives its own full name as Host, and the name of the calling peer in a header", Run: backendSees},
			ask("works/method-rule", guarantee.TwoControls, "The exporter denies a method that no rule allows", productpage, request("POST", "http://reviews:9080/reviews/0"), "403"),
			ask("works/method-rule-head", guarantee.TwoControls, "The exporter denies HEAD where the rules allow only GET", productpage, request("HEAD", "http://reviews:9080/reviews/0"), "403"),
			ask("works/path-rule", guarantee.TwoControls, "The exporter denies a path that no rule allows", productpage, get("http://reviews:9080/admin"), "403"),
			Case{Name: "works/apply-twice", Guarantees: guarantee.Reproducible | guarantee.ValidObjects, Expect: "Applying the same files a second time changes no object", Run: appliedTwice},
			analyzed("two-meshes-http"),
		),
		inScenario("separate-apps",
			ask("works/separate-programs", guarantee.ExplicitAccess, "Two programs without common code generate meshes that call each other", productpage, get("http://reviews:9080/reviews/0"), "200"),
			ask("works/separate-programs-refuse", guarantee.ExplicitAccess, "Two programs without common code deny a caller that the binding does not list", otherAccount, get("http://reviews:9080/reviews/0"), "503"),
		),
		inScenario("renamed-everything",
			ask("works/renamed", guarantee.DeclaredNames, "A call succeeds when service, namespace and port have different names in the two meshes", From{"west", "finance/checkout"}, request("POST", "http://debit.finance/withdrawals"), "200"),
			ask("works/renamed-refuses", guarantee.ExplicitAccess|guarantee.TwoControls, "The exporter's rules apply to calls by a different local name", From{"west", "finance/checkout"}, request("POST", "http://debit.finance/accounts"), "403"),
		),
		inScenario("three-meshes",
			analyzed("three-meshes"),
			ask("works/third-mesh", guarantee.ServerPerPeer, "Two peers call one exporter, each under its own rules: west may write", From{"west", "west/client"}, request("POST", "http://ledger.partners:8080/entries"), "200"),
			ask("works/third-mesh-own-rules", guarantee.TwoControls, "The exporter denies reads by west, which may only write", From{"west", "west/client"}, get("http://ledger.partners:8080/entries/1"), "403"),
			ask("works/third-mesh-reads", guarantee.ServerPerPeer, "The exporter allows reads by north", From{"north", "north/client"}, get("http://ledger.partners:8080/entries/1"), "200"),
			ask("works/third-mesh-second-port", guarantee.ServerPerPeer, "North reaches a second exported port of the same service", From{"north", "north/client"}, get("http://ledger.partners/balance"), "200"),
			ask("works/third-mesh-writes-not", guarantee.TwoControls, "The exporter denies writes by north, which may only read", From{"north", "north/client"}, request("POST", "http://ledger.partners:8080/entries"), "403"),
			ask("works/second-namespace", guarantee.ExplicitAccess, "The egress gateway accepts callers of both namespaces that the binding lists", From{"west", "partners/batch"}, request("POST", "http://ledger.partners:8080/entries"), "200"),
			ask("works/port-not-granted", guarantee.ExplicitAccess, "West cannot reach a port that was granted only to north", From{"west", "west/client"}, get("http://ledger.partners/balance"), "closed | reset | refused | timeout | 503 | 502"),
		),
		inScenario("both-directions",
			analyzed("both-directions"),
			ask("works/both-directions-there", guarantee.ExplicitAccess, "West calls east in a federation of both directions", productpage, get("http://reviews:9080/reviews/0"), "200"),
			ask("works/both-directions-back", guarantee.ExplicitAccess, "East calls west in the same federation, at static addresses and another public port", From{"east", "default/reviews"}, get("http://details.catalogue:9080/details/0"), "200"),
		),
		inScenario("declared-but-closed",
			ask("works/bound-for-nobody", guarantee.ExplicitAccess, "A binding without callers lets no workload through", productpage, get("http://reviews:9080/reviews/0"), "503"),
		),
	)
}

// bookinfo is the example that the README shows. It brings applications of its own, so it comes last.
func bookinfo() []Case {
	return inScenario("bookinfo",
		ask("works/bookinfo", guarantee.ExplicitAccess, "The productpage of the demo reaches its reviews", From{"west", "default/productpage"}, get("http://reviews:9080/reviews/0"), "200"),
		ask("works/bookinfo-refuses", guarantee.TwoControls, "The productpage of the demo is denied every other path of reviews", From{"west", "default/productpage"}, get("http://reviews:9080/health"), "403"),
		ask("works/bookinfo-details-not", guarantee.ExplicitAccess, "The details workload of the demo cannot call reviews", From{"west", "default/details"}, get("http://reviews:9080/reviews/0"), "503"),
	)
}

func backendSees(t *T) {
	answer := t.Try(productpage, reviews("/reviews/0"))[0]
	if answer.Seen == nil {
		t.Errorf("no answer of the backend: %s", answer.Outcome())
		return
	}
	t.Logf("Host %s, x-federation-peer %s", answer.Seen.Host, header(answer.Seen.Header, "x-federation-peer"))
	if answer.Seen.Host != reviewsHost {
		t.Errorf("the backend sees Host %q", answer.Seen.Host)
	}
	if peer := header(answer.Seen.Header, "x-federation-peer"); peer != "west" {
		t.Errorf("the backend is told that peer %q asks", peer)
	}
}

func header(headers [][2]string, name string) string {
	var values []string
	for _, h := range headers {
		if h[0] == name {
			values = append(values, h[1])
		}
	}
	return strings.Join(values, ", ")
}

func analyzed(scenario string) Case {
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
	t.Logf("%d objects as they were", total)
}

func nothingThere(t *T) {
	for _, m := range t.Meshes() {
		services, err := m.List(t.Context(), groupVersionResource("", "v1", "services"), "")
		t.Must(err)
		for _, service := range services {
			if kind, _, _ := nestedString(service.Object, "spec", "type"); kind == "LoadBalancer" {
				t.Errorf("mesh %s has the load balancer %s", m.Name, service.GetName())
			}
		}
	}
	answer := t.Try(outside, traffic.Probe{Kind: "tcp", URL: "tcp://" + eastAddress})[0]
	t.Logf("%s", answer.Outcome())
	if !outcome.Matches(answer.Outcome(), "refused | unreachable | timeout") {
		t.Errorf("the port is %s", answer.Outcome())
	}
}
