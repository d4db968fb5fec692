// Package peeroptions has the cases for options of one peer.
package peeroptions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

var (
	// Headers with trace context, and headers that west removes.
	traces = []string{"traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-datadog-trace-id", "uber-trace-id", "sw8", "x-amzn-trace-id"}
)

var ownOnly = []string{"x-cost-centre", "x-team"}

// Cases are the peer options: each applies to its peer, and to no other.
func Cases() []Case {
	old := func(version string) func(*traffic.Probe) {
		return func(p *traffic.Probe) { p.TLS.MaxVersion = version }
	}
	north := []func(*traffic.Probe){WithSNI(ReviewOf("north")), WithURLHost(ReviewOf("north"))}
	return InScenario("peer-options",
		Analyzed("peer-options"),
		Ask("peer-options/tls-1.2", guarantee.ServerPerPeer, "A peer whose options allow TLS 1.2 connects with TLS 1.2", Outside, ToIngress(GenuineWest, old("1.2")), "200"),
		Ask("peer-options/tls-1.2-and-1.3", guarantee.ServerPerPeer, "A peer whose options allow TLS 1.2 connects with TLS 1.3", Outside, ToIngress(GenuineWest), "200"),
		Ask("peer-options/tls-1.1", guarantee.ServerPerPeer, "The ingress gateway rejects TLS 1.1 even from a peer whose options allow TLS 1.2", Outside, ToIngress(GenuineWest, old("1.1")), "alert: protocol version"),
		Ask("peer-options/tls-1.2-no-certificate", guarantee.ServerPerPeer, "The ingress gateway rejects an external attacker without a certificate who uses TLS 1.2", Outside, ToIngress(NoCertificate, old("1.2")), outcome.NoCertificate+" | alert: handshake failure"),
		Ask("peer-options/tls-1.2-other", guarantee.ServerPerPeer, "The ingress gateway rejects TLS 1.2 from a peer without that option", Outside, ToIngress(GenuineNorth, append(north, old("1.2"))...), "alert: protocol version"),
		Ask("peer-options/tls-1.3-other", guarantee.ServerPerPeer, "A peer without the TLS 1.2 option connects with TLS 1.3", Outside, ToIngress(GenuineNorth, north...), "200"),
		Case{Name: "peer-options/trace-stripped", Guarantees: guarantee.NothingInternal, Expect: "The gateways remove west's trace headers and forward those of north to the backends of east", Run: traceStripped},
		Case{Name: "peer-options/trace-stripped-by-ingress", Guarantees: guarantee.NothingInternal, Expect: "The ingress gateway of east removes west's trace headers when the egress gateway of west is bypassed", Run: traceStrippedByIngress},
		Case{Name: "peer-options/trace-stripped-in-answers", Guarantees: guarantee.NothingInternal, Expect: "The gateways remove trace headers from east's answers to west", Run: traceStrippedInAnswers},
		Case{Name: "peer-options/connect-after-handshake", Guarantees: guarantee.EgressCallers, Expect: "Both gateways connect to the database only for an authenticated caller", Run: connectedAfterHandshake},
		Case{Name: "peer-options/max-connections", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway holds three of six connections of west open, and all connections of north", Run: maxConnections},
		Case{Name: "peer-options/max-connection-duration-tcp", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway closes a TCP connection of west after three seconds, and keeps one of north open", Run: maxDurationTCP},
		Case{Name: "peer-options/max-connection-duration-http", Guarantees: guarantee.ServerPerPeer, Expect: "No HTTP request fails when the ingress gateway closes connections after three seconds", Run: maxDurationHTTP},
		Case{Name: "peer-options/idle-timeout", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway closes idle connections after two seconds (HTTP: plus five) only where the peer options set it", Run: idleTimeout},
		Case{Name: "peer-options/requests-per-second", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway answers five of twelve simultaneous requests of west, and all requests of north", Run: requestsPerSecond},
		Case{Name: "peer-options/requests-refused-cost-nothing", Guarantees: guarantee.TwoControls, Expect: "Requests that a rule denies consume nothing of the rate limit", Run: refusedCostNothing},
	)
}

// carrying adds headers of these names, with values that can be found again.
func carrying(names ...string) func(*traffic.Probe) {
	return func(p *traffic.Probe) {
		for _, name := range names {
			p.Header = append(p.Header, [2]string{name, "mine"})
		}
	}
}

// unchanged are those of the names that the backend has seen with the value that the caller gave them.
func unchanged(t *T, answer traffic.Answer, names []string) []string {
	if answer.Seen == nil {
		t.Must(fmt.Errorf("no answer of the backend: %s%s", answer.Outcome(), Detail(answer)))
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return Header(answer.Seen.Header, name) != "mine" })
}

func traceStripped(t *T) {
	waitForRateLimit()
	all := slices.Concat(traces, ownOnly)
	for _, one := range []struct {
		from From
		want []string
	}{{ShopAPI, nil}, {NorthAPI, all}} {
		p := traffic.Probe{URL: "http://reviews.shop:9080/reviews/0"}
		carrying(all...)(&p)
		got := unchanged(t, t.Try(one.from, p)[0], all)
		t.Logf("from %s %d of %d headers", one.from, len(got), len(all))
		if !slices.Equal(got, one.want) {
			t.Errorf("from %s: %v arrived, and not %v", one.from, got, one.want)
		}
	}
}

func traceStrippedByIngress(t *T) {
	waitForRateLimit()
	answer := t.Try(Outside, ToIngress(GenuineWest, carrying(traces...), carrying(ownOnly...))(t.Federation))[0]
	if got := unchanged(t, answer, traces); len(got) > 0 {
		t.Errorf("%v arrived", got)
	}
	// The other list is an option of the sender, so it does not apply at the receiver.
	if got := unchanged(t, answer, ownOnly); !slices.Equal(got, ownOnly) {
		t.Errorf("only %v arrived of %v", got, ownOnly)
	}
	t.Logf("0 of %d headers", len(traces))
}

func traceStrippedInAnswers(t *T) {
	waitForRateLimit()
	names := slices.Concat(traces, []string{"traceresponse", "x-request-id"})
	url := "/reviews/0?header=" + strings.Join(names, ":mine&header=") + ":mine"
	for _, one := range []struct {
		from From
		want int
	}{{ShopAPI, 0}, {NorthAPI, len(names)}} {
		answer := t.Try(one.from, traffic.Probe{URL: "http://reviews.shop:9080" + url})[0]
		got := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return Header(answer.Header, name) == "" })
		t.Logf("to %s %d of %d headers", one.from, len(got), len(names))
		if answer.Outcome() != "200" || len(got) != one.want {
			t.Errorf("to %s: %s with %v, and not %d of them", one.from, answer.Outcome(), got, one.want)
		}
	}
}

func connectedAfterHandshake(t *T) {
	database := TcpBytes("mysql.shop:3306", "hello")
	for _, one := range []struct {
		who   string
		from  From
		probe func(*federation.Federation) traffic.Probe
		want  int
	}{
		{"the listed caller", ShopAPI, database, 3},
		{"an unlisted workload", ShopOther, database, 0},
		{"an external attacker", Outside, ToServer(MysqlOf("west"), "tcp", NoCertificate), 0},
		{"another workload of west", Outside, ToServer(MysqlOf("west"), "tcp", MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/shop/sa/api"})), 0},
		{"west's egress gateway", Outside, ToServer(MysqlOf("west"), "tcp", GenuineWest), 3},
	} {
		before := t.Connections("east", "db/mysql", 3306)
		for range 3 {
			t.Try(one.from, one.probe(t.Federation))
		}
		time.Sleep(300 * time.Millisecond)
		got := t.Connections("east", "db/mysql", 3306) - before
		t.Logf("%s: %d connections", one.who, got)
		if got != one.want {
			t.Errorf("%s: the database has accepted %d connections, and not %d", one.who, got, one.want)
		}
	}
}

// IdleConnection is a connection to the database on which both sides have sent bytes, until it ends or is silent for so
// long.
func IdleConnection(t *T, peer string, shown CertificateSource, quiet time.Duration) traffic.Probe {
	p := ToServer(MysqlOf(peer), "tcp", shown)(t.Federation)
	p.Body, p.Quiet, p.Timeout = "hello", quiet, quiet+5*time.Second
	return p
}

func maxConnections(t *T) {
	for _, one := range []struct {
		peer  string
		shown CertificateSource
		want  int
	}{{"west", GenuineWest, 3}, {"north", GenuineNorth, 6}} {
		probes := make([]traffic.Probe, 6)
		for i := range probes {
			probes[i] = IdleConnection(t, one.peer, one.shown, time.Second)
		}
		open := 0
		for _, answer := range t.Try(Outside, probes...) {
			if strings.Contains(answer.Body, "220") {
				open++
			}
		}
		t.Logf("%s %d of 6 open", one.peer, open)
		if open != one.want {
			t.Errorf("of 6 connections of %s %d were open, and not %d", one.peer, open, one.want)
		}
	}
}

func maxDurationTCP(t *T) {
	for _, one := range []struct {
		peer     string
		shown    CertificateSource
		from, to time.Duration
	}{{"west", GenuineWest, 2500 * time.Millisecond, 4500 * time.Millisecond}, {"north", GenuineNorth, 6 * time.Second, 9 * time.Second}} {
		began := time.Now()
		answer := t.Try(Outside, IdleConnection(t, one.peer, one.shown, 6*time.Second))[0]
		took := time.Since(began)
		t.Logf("%s %s", one.peer, Rounded(took))
		if !strings.Contains(answer.Body, "220") || took < one.from || took > one.to {
			t.Errorf("a connection of %s ended after %s (%s)%s", one.peer, took, answer.Outcome(), Detail(answer))
		}
	}
}

// Envoy announces that it will close an idle HTTP connection, and waits five seconds for active requests.
func idleTimeout(t *T) {
	const watched = 12 * time.Second

	request := func(name string) traffic.Probe {
		server := "p9080." + name + ".north.fed.east.example"
		p := ToServer(server, "raw", GenuineNorth)(t.Federation)
		p.Body, p.Quiet, p.Timeout = "GET /reviews/0 HTTP/1.1\r\nHost: "+server+"\r\n\r\n", watched, 20*time.Second
		return p
	}
	greeting := func(name string) traffic.Probe {
		p := IdleConnection(t, "north", GenuineNorth, watched)
		p.TLS.ServerName = "p3306." + name + ".north.fed.east.example"
		return p
	}
	for _, one := range []struct {
		name     string
		probe    traffic.Probe
		said     string
		from, to time.Duration
	}{
		{"archive", request("archive"), "HTTP/1.1 200", 6500 * time.Millisecond, 10 * time.Second},
		{"reviews", request("reviews"), "HTTP/1.1 200", watched, 2 * watched},
		{"ledger", greeting("ledger"), "220", 1500 * time.Millisecond, 4 * time.Second},
		{"mysql", greeting("mysql"), "220", watched, 2 * watched},
	} {
		began := time.Now()
		answer := t.Try(Outside, one.probe)[0]
		took := time.Since(began)
		t.Logf("%s %s", one.name, Rounded(took))
		if !strings.Contains(answer.Body, one.said) || took < one.from || took > one.to {
			t.Errorf("a connection to %s ended after %s (%s)%s", one.name, took, answer.Outcome(), Detail(answer))
		}
	}
}

func maxDurationHTTP(t *T) {
	samples := t.Try(ShopAPI, traffic.Probe{URL: "http://reviews.shop:9080/reviews/0", Every: 400 * time.Millisecond, For: 8 * time.Second, Reuse: true})[0].Samples
	failed := 0
	for _, sample := range samples {
		if sample.Outcome != "200" {
			failed++
			t.Errorf("a request failed: %s", sample.Outcome)
		}
	}
	t.Logf("%d of %d failed in 8 s", failed, len(samples))
}

// sequentialRequests are several requests on one connection, as fast as answers come.
func sequentialRequests(shown CertificateSource, count int, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		p := ToIngress(shown, change...)(f)
		for range count - 1 {
			p.Then = append(p.Then, traffic.Probe{URL: p.URL, Method: p.Method})
		}
		return p
	}
}

// waitForRateLimit waits until earlier requests no longer count against west's rate limit.
func waitForRateLimit() { time.Sleep(1200 * time.Millisecond) }

func tally(answer traffic.Answer) map[string]int {
	counts := map[string]int{answer.Outcome(): 1}
	for _, next := range answer.Then {
		counts[next.Outcome()]++
	}
	return counts
}

func requestsPerSecond(t *T) {
	waitForRateLimit()
	got := tally(t.Try(Outside, sequentialRequests(GenuineWest, 12)(t.Federation))[0])
	t.Logf("west %v", got)
	// A slow computer may begin the next second before the last request.
	if got["200"] < 5 || got["200"] > 10 || got["200"]+got["429"] != 12 {
		t.Errorf("of 12 requests of west: %v", got)
	}
	got = tally(t.Try(Outside, sequentialRequests(GenuineNorth, 12, WithSNI(ReviewOf("north")), WithURLHost(ReviewOf("north")))(t.Federation))[0])
	t.Logf("north %v", got)
	if got["200"] != 12 {
		t.Errorf("of 12 requests of north: %v", got)
	}
}

func refusedCostNothing(t *T) {
	waitForRateLimit()
	post := func(p *traffic.Probe) { p.Method = "POST" }
	got := tally(t.Try(Outside, sequentialRequests(GenuineWest, 12, post)(t.Federation))[0])
	t.Logf("denied %v", got)
	if got["403"] != 12 {
		t.Errorf("of 12 requests that no rule allows: %v", got)
	}
	t.Want(Outside, "200", ToIngress(GenuineWest)(t.Federation))
}
