package protocols

import (
	"strings"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// SeveralSources are peers and local pods behind one local name.
func SeveralSources() []Case {
	return InScenario("several-sources",
		Analyzed("several-sources"),
		Case{Name: "sources/weights", Guarantees: guarantee.ExplicitAccess, Expect: "The sidecar distributes requests by the configured weights; local pods receive the Host that callers dial", Run: weights},
		Ask("sources/header", guarantee.ExplicitAccess, "Requests with a matching header reach the export of that route match", Productpage, withHeader("http://reviews:9080/", "x-tester", "yes"), "200"),
		Case{Name: "sources/headers-choose", Guarantees: guarantee.ExplicitAccess, Expect: "The route match with the most headers takes precedence", Run: headersChoose},
		Case{Name: "sources/tcp", Guarantees: guarantee.ExplicitAccess, Expect: "The sidecar distributes TCP connections over two peers", Run: sharedConnections},
		Case{Name: "sources/grpc", Guarantees: guarantee.ExplicitAccess, Expect: "The sidecar distributes gRPC calls over two peers, call by call", Run: sharedCalls},
		AskDetailed("sources/tcp-refused", guarantee.EgressCallers, "An unlisted workload receives no byte from either peer", ShopOther, TcpBytes("orders:3306", "hello"), "closed | reset"),
		Case{Name: "sources/other-caller", Guarantees: guarantee.EgressCallers, Expect: "An unlisted workload fails for the weight of the peers only; local pods answer the other requests", Run: otherCaller},
		Ask("sources/elsewhere-unchanged", guarantee.WorkloadsUntouched, "A namespace without callers still reaches the existing Service by its name", OtherNamespace, Get("http://reviews.default:9080/"), "200"),
		Ask("sources/other-port-unchanged", guarantee.WorkloadsUntouched, "Callers still reach a port of the existing Service that no binding uses", Productpage, Get("http://reviews:9081/"), "200"),
	)
}

// meshesOf returns the mesh of each pod.
func meshesOf(t *T, namespace string) map[string]string {
	meshes := map[string]string{}
	for _, m := range t.Meshes() {
		pods, err := m.List(t.Context(), GroupVersionResource("", "v1", "pods"), namespace)
		t.Must(err)
		for _, pod := range pods {
			meshes[pod.GetName()] = m.Name
		}
	}
	return meshes
}

func weights(t *T) {
	meshes, shares, hosts := meshesOf(t, "default"), map[string]int{}, map[string]string{}
	probes := make([]traffic.Probe, 200)
	for i := range probes {
		probes[i] = traffic.Probe{URL: "http://reviews:9080/"}
	}
	for _, answer := range t.Try(Productpage, probes...) {
		if answer.Seen == nil {
			t.Errorf("no answer of a backend: %s", answer.Outcome())
			continue
		}
		from := meshes[answer.Seen.Pod]
		shares[from]++
		hosts[from] = answer.Seen.Host
	}
	t.Logf("of 200 at 70/20/10: west %d, east %d, north %d; west sees Host %s", shares["west"], shares["east"], shares["north"], hosts["west"])
	// Five standard deviations: a run in a million fails by chance.
	for name, bounds := range map[string][2]int{"west": {107, 173}, "east": {11, 69}, "north": {1, 42}} {
		if shares[name] < bounds[0] || shares[name] > bounds[1] {
			t.Errorf("%s answered %d of 200", name, shares[name])
		}
	}
	if hosts["west"] != "reviews:9080" || hosts["east"] != ReviewsHost || hosts["north"] != ReviewsHost {
		t.Errorf("Hosts seen: %v", hosts)
	}
}

func headersChoose(t *T) {
	meshes := meshesOf(t, "default")
	for _, one := range []struct {
		headers [][2]string
		want    string
	}{
		{[][2]string{{"x-tester", "yes"}}, "east reviews-v2"},
		{[][2]string{{"x-tester", "yes"}, {"x-pinned", "here"}}, "west reviews"},
		{[][2]string{{"x-tester", "no"}, {"x-pinned", "here"}}, "any"},
	} {
		for range 8 {
			answer := t.Try(Productpage, traffic.Probe{URL: "http://reviews:9080/", Header: one.headers})[0]
			if answer.Seen == nil {
				t.Errorf("%v: %s", one.headers, answer.Outcome())
				continue
			}
			pod := answer.Seen.Pod
			name := strings.Join(strings.Split(pod, "-")[:strings.Count(pod, "-")-1], "-")
			if got := meshes[pod] + " " + name; one.want != "any" && got != one.want {
				t.Errorf("%v: %s, and not %s", one.headers, got, one.want)
			}
			if one.want == "any" && name == "reviews-v2" {
				t.Errorf("%v went to reviews-v2", one.headers)
			}
		}
	}
	t.Logf("24 requests")
}

func sharedConnections(t *T) {
	before := map[string]int{"east": t.Connections("east", "db/mysql", 3306), "north": t.Connections("north", "db/mysql", 3306)}
	probes := make([]traffic.Probe, 60)
	for i := range probes {
		probes[i] = TcpBytes("orders:3306", "hello")(t.Federation)
	}
	t.Want(ShopAPI, "open", probes...)
	east, north := t.Connections("east", "db/mysql", 3306)-before["east"], t.Connections("north", "db/mysql", 3306)-before["north"]
	t.Logf("of 60 connections at 50/50: east %d, north %d", east, north)
	if east < 11 || north < 11 {
		t.Errorf("one of them has next to nothing")
	}
}

func sharedCalls(t *T) {
	meshes, shares := meshesOf(t, "search"), map[string]int{}
	probes := make([]traffic.Probe, 60)
	for i := range probes {
		probes[i] = GrpcCall("search:9000", "/search.Query/Find")(t.Federation)
	}
	for _, answer := range t.Try(ShopAPI, probes...) {
		pod, _, _ := strings.Cut(strings.TrimLeft(answer.Body, "\x00"), ":")
		shares[meshes[pod]]++
		if answer.GRPC != "OK" || Header(answer.Trailer, "x-lab-trailer") != "yes" {
			t.Errorf("%s, trailers %v", answer.Outcome(), answer.Trailer)
		}
	}
	t.Logf("of 60 calls at 50/50: east %d, north %d", shares["east"], shares["north"])
	if shares["east"] < 11 || shares["north"] < 11 {
		t.Errorf("shares are %v", shares)
	}
}

func otherCaller(t *T) {
	probes := make([]traffic.Probe, 100)
	for i := range probes {
		probes[i] = traffic.Probe{URL: "http://reviews:9080/"}
	}
	outcomes := map[string]int{}
	meshes := meshesOf(t, "default")
	for _, answer := range t.Try(OtherAccount, probes...) {
		outcomes[answer.Outcome()]++
		if answer.Seen != nil && meshes[answer.Seen.Pod] != "west" {
			t.Errorf("a pod of mesh %s answered", meshes[answer.Seen.Pod])
		}
	}
	t.Logf("of 100: %d answered by local pods, %d rejected", outcomes["200"], outcomes["503"])
	if outcomes["200"]+outcomes["503"] != 100 || outcomes["503"] < 5 || outcomes["200"] < 40 {
		t.Errorf("outcomes are %v", outcomes)
	}
}
