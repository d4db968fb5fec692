package cases

import (
	"slices"
	"strings"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// works are the calls that were agreed, in every scenario.
func works() []Case {
	return slices.Concat(
		in("nothing-exposed",
			Case{Name: "works/nothing-exposed", Laws: laws(1), Expect: "no exposure, no listener and no load balancer", Run: nothingThere},
		),
		in("two-meshes-http",
			ask("works/short-name", laws(1), "the allowed caller reaches reviews by its short name", productpage, get("http://reviews:9080/reviews/0"), "200"),
			ask("works/namespaced-name", laws(1), "and by name and namespace", productpage, get("http://reviews.default:9080/reviews/0"), "200"),
			ask("works/service-name", laws(1), "and by name, namespace and svc", productpage, get("http://reviews.default.svc:9080/reviews/0"), "200"),
			ask("works/full-name", laws(1), "and by its full name", productpage, get("http://reviews.default.svc.cluster.local:9080/reviews/0?u=a%2Fb"), "200"),
			Case{Name: "works/backend-sees-its-own-name", Laws: laws(7), Expect: "the backend is called by its own full name, and told which peer asks", Run: backendSees},
			ask("works/method-rule", laws(3), "a method that no rule names is refused", productpage, send("POST", "http://reviews:9080/reviews/0"), "403"),
			ask("works/method-rule-head", laws(3), "also one that reads", productpage, send("HEAD", "http://reviews:9080/reviews/0"), "403"),
			ask("works/path-rule", laws(3), "a path that no rule names is refused", productpage, get("http://reviews:9080/admin"), "403"),
			Case{Name: "works/apply-twice", Laws: laws(9, 13), Expect: "applying the same files again changes no object", Run: appliedTwice},
			analyzed("two-meshes-http"),
		),
		in("separate-apps",
			ask("works/separate-programs", laws(1), "two programs that share no code fit together", productpage, get("http://reviews:9080/reviews/0"), "200"),
			ask("works/separate-programs-refuse", laws(1), "and refuse the same callers", other, get("http://reviews:9080/reviews/0"), "503"),
		),
		in("renamed-everything",
			ask("works/renamed", laws(8), "service, namespace and port have other names on each side", From{"west", "finance/checkout"}, send("POST", "http://debit.finance/withdrawals"), "200"),
			ask("works/renamed-refuses", laws(1, 3), "the rule holds under the other name", From{"west", "finance/checkout"}, send("POST", "http://debit.finance/accounts"), "403"),
		),
		in("three-meshes",
			analyzed("three-meshes"),
			ask("works/third-mesh", laws(2), "two peers call one exporter, each by its own rules: west may write", From{"west", "west/client"}, send("POST", "http://ledger.partners:8080/entries"), "200"),
			ask("works/third-mesh-own-rules", laws(3), "west may not read", From{"west", "west/client"}, get("http://ledger.partners:8080/entries/1"), "403"),
			ask("works/third-mesh-reads", laws(2), "north may read", From{"north", "north/client"}, get("http://ledger.partners:8080/entries/1"), "200"),
			ask("works/third-mesh-second-port", laws(2), "and uses a second port", From{"north", "north/client"}, get("http://ledger.partners/balance"), "200"),
			ask("works/third-mesh-writes-not", laws(3), "north may not write", From{"north", "north/client"}, send("POST", "http://ledger.partners:8080/entries"), "403"),
			ask("works/second-namespace", laws(1), "callers of two namespaces are let in", From{"west", "partners/batch"}, send("POST", "http://ledger.partners:8080/entries"), "200"),
			ask("works/port-not-granted", laws(1), "a port that was granted to another peer leads nowhere", From{"west", "west/client"}, get("http://ledger.partners/balance"), "closed | reset | refused | timeout | 503 | 502"),
		),
		in("both-directions",
			analyzed("both-directions"),
			ask("works/both-directions-there", laws(1), "west calls east", productpage, get("http://reviews:9080/reviews/0"), "200"),
			ask("works/both-directions-back", laws(1), "and east calls west, at static addresses and a public port of its own", From{"east", "default/reviews"}, get("http://details.catalogue:9080/details/0"), "200"),
		),
		in("declared-but-closed",
			ask("works/bound-for-nobody", laws(1), "a binding without callers lets nobody through", productpage, get("http://reviews:9080/reviews/0"), "503"),
		),
	)
}

// demo is the example that the README shows. It brings applications of its own, so it comes last.
func demo() []Case {
	return in("bookinfo",
		ask("works/bookinfo", laws(1), "the demo's productpage reaches its reviews", From{"west", "default/productpage"}, get("http://reviews:9080/reviews/0"), "200"),
		ask("works/bookinfo-refuses", laws(3), "and nothing else of it", From{"west", "default/productpage"}, get("http://reviews:9080/health"), "403"),
		ask("works/bookinfo-details-not", laws(1), "its details may not ask", From{"west", "default/details"}, get("http://reviews:9080/reviews/0"), "503"),
	)
}

func backendSees(t *T) {
	answer := t.Try(productpage, reviews("/reviews/0"))[0]
	if answer.Seen == nil {
		t.Errorf("no answer of the backend: %s", answer.Outcome())
		return
	}
	t.Seen("Host %s, x-federation-peer %s", answer.Seen.Host, header(answer.Seen.Header, "x-federation-peer"))
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
	return Case{Name: "works/analyze-" + scenario, Laws: laws(13), Expect: "`istioctl analyze` has no warning", Run: func(t *T) {
		for _, m := range t.Meshes() {
			messages, err := m.Analyze(t.Context)
			t.Must(err)
			for _, message := range messages {
				t.Errorf("mesh %s: %s", m.Name, message)
			}
		}
		t.Seen("no warning in %d meshes", len(t.Meshes()))
	}}
}

func appliedTwice(t *T) {
	total := 0
	for _, m := range t.Meshes() {
		changed, count, err := t.Unchanged(t.Context, m)
		t.Must(err)
		total += count
		for _, key := range changed {
			t.Errorf("mesh %s: %s has changed", m.Name, key)
		}
	}
	t.Seen("%d objects as they were", total)
}

func nothingThere(t *T) {
	for _, m := range t.Meshes() {
		services, err := m.List(t.Context, resource("", "v1", "services"), "")
		t.Must(err)
		for _, service := range services {
			if kind, _, _ := nested(service.Object, "spec", "type"); kind == "LoadBalancer" {
				t.Errorf("mesh %s has the load balancer %s", m.Name, service.GetName())
			}
		}
	}
	answer := t.Try(outside, traffic.Probe{Kind: "tcp", URL: "tcp://" + eastAddress})[0]
	t.Seen("%s", answer.Outcome())
	if !matches(answer.Outcome(), "refused | unreachable | timeout") {
		t.Errorf("the port is %s", answer.Outcome())
	}
}
