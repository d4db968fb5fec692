package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

var batch = From{"west", "shop/batch"} // a second caller that may

// monitoring is what the owner of a mesh sees of each peer and of each caller, as docs/how-to/monitoring.md says.
func monitoring() []Case {
	prometheus := From{"east", "monitoring/prometheus"}
	scrape := func(path string) func(*federation.Federation) traffic.Probe {
		return func(f *federation.Federation) traffic.Probe {
			return traffic.Probe{URL: "http://" + podAddress(f, "east") + path}
		}
	}
	public := func(port string) func(*federation.Federation) traffic.Probe {
		return get("http://203.0.113.20:" + port + "/stats/prometheus")
	}
	return slices.Concat(inScenario("two-meshes-http",
		Case{Name: "monitoring/default-log", Guarantees: guarantee.ServerPerPeer, Expect: "The default access log identifies the peer by the SNI, and contains no identity", Run: defaultLog},
		Case{Name: "monitoring/impostor", Guarantees: guarantee.TLSOnEveryHop, Expect: "The egress gateway logs and counts an impostor in a peer's place under the peer's name", Run: impostor},
	), inScenario("monitored",
		Case{Name: "monitoring/log-in", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway logs an incoming call with its peer's identity and SNI", Run: watched(loggedIn)},
		Case{Name: "monitoring/log-out", Guarantees: guarantee.EgressCallers, Expect: "The egress gateway logs an outgoing call with the caller and the peer that answered", Run: watched(loggedOut)},
		Case{Name: "monitoring/log-refused", Guarantees: guarantee.TwoControls, Expect: "Both gateways log a call that a rule denies, with its peer", Run: watched(loggedRefusal)},
		Case{Name: "monitoring/log-tcp", Guarantees: guarantee.ServerPerPeer | guarantee.EgressCallers, Expect: "The gateways log a TCP connection with peer and caller when it ends", Run: watched(loggedConnection)},
		Case{Name: "monitoring/log-tcp-refused", Guarantees: guarantee.EgressCallers, Expect: "Each gateway logs a TCP connection whose handshake fails, with the caller if it is known, and zero bytes", Run: watched(loggedRefusedConnection)},
		Case{Name: "monitoring/log-unknown-name", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway logs a connection to an unknown SNI with that SNI", Run: watched(loggedUnknownName)},
		Case{Name: "monitoring/handshake-in", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway counts a failed handshake by its reason, and writes no log line", Run: watched(countedAttackers)},
		Case{Name: "monitoring/handshake-out", Guarantees: guarantee.EgressCallers, Expect: "The egress gateway counts a caller's failed handshake by its reason, and writes no log line", Run: watched(countedCaller)},
		Case{Name: "monitoring/counters", Guarantees: guarantee.ServerPerPeer | guarantee.TwoControls, Expect: "The gateways count answers and denials of each peer separately", Run: countedApart},
		Case{Name: "monitoring/dead-peer", Guarantees: guarantee.TLSOnEveryHop, Expect: "The egress gateway logs and counts an unreachable peer with its name", Run: watched(deadPeer)},
		ask("monitoring/scraped", guarantee.NothingInternal, "The monitoring namespace can scrape the gateways' metrics", prometheus, scrape(":15020/stats/prometheus"), "200"),
		ask("monitoring/admin-not", guarantee.NothingInternal, "The monitoring namespace cannot reach Envoy's admin interface", prometheus, scrape(":15000/stats"), "refused"),
		attempts("monitoring/not-outside", guarantee.NothingInternal, "An external attacker cannot scrape the gateways' metrics",
			Attempt{From: outside, Probe: public("15020"), Want: "refused | timeout | unreachable"},
			Attempt{From: outside, Probe: public("15090"), Want: "refused | timeout | unreachable"},
		),
	))
}

func podAddress(f *federation.Federation, meshName string) string {
	ctx, cancel := patience.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	pod, err := f.Mesh(meshName).Pod(ctx, gatewayOf(meshName))
	if err != nil {
		panic(err)
	}
	return pod.Status.PodIP
}

// logEntry is one line of the access log that docs/how-to/monitoring.md asks for.
type logEntry map[string]any

func (e logEntry) text(field string) string {
	if e[field] == nil {
		return "-"
	}
	return fmt.Sprint(e[field])
}

// watched runs a case once both gateways write the log that the scenario asks for.
func watched(run func(*T)) func(*T) {
	return func(t *T) {
		t.Must(mesh.Wait(t.Context(), 30*time.Second, func() error {
			target := unique()
			t.Want(shopAPI, "200", traffic.Probe{URL: shopReviews + target})
			time.Sleep(time.Second)
			for _, m := range []*mesh.Mesh{t.East, t.West} {
				if !slices.ContainsFunc(t.accessLog(m), func(e logEntry) bool { return e.text("path") == target }) {
					return fmt.Errorf("mesh %s does not log so", m.Name)
				}
			}
			return nil
		}))
		run(t)
	}
}

// accessLog of a gateway, the lines of it that are requests and connections.
func (t *T) accessLog(m *mesh.Mesh) (entries []logEntry) {
	for _, line := range t.logLines(m) {
		var e logEntry
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &e) == nil && e["listener"] != nil {
			entries = append(entries, e)
		}
	}
	return entries
}

func (t *T) logLines(m *mesh.Mesh) []string {
	pod, err := m.Pod(t.Context(), gatewayOf(m.Name))
	t.Must(err)
	text, err := m.Logs(t.Context(), pod, "istio-proxy")
	t.Must(err)
	return strings.Split(text, "\n")
}

// logged waits for the line of which the fields are these: it is written with some delay.
func (t *T) logged(m *mesh.Mesh, after int, fields map[string]string) logEntry {
	var found logEntry
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		all := t.accessLog(m)
		for _, e := range all[min(after, len(all)):] {
			if !slices.ContainsFunc(keysOf(fields), func(field string) bool { return e.text(field) != fields[field] }) {
				found = e
				return nil
			}
		}
		return fmt.Errorf("mesh %s has not logged %v", m.Name, fields)
	}))
	return found
}

func keysOf(fields map[string]string) (keys []string) {
	for key := range fields {
		keys = append(keys, key)
	}
	return keys
}

// compareFields compares fields of a line.
func (t *T) compareFields(what string, e logEntry, want map[string]string) {
	for field, value := range want {
		if !outcome.Matches(e.text(field), value) {
			t.Errorf("%s: %s is %s, and not %s", what, field, e.text(field), value)
		}
	}
}

const (
	northEgressID = "spiffe://north.example/ns/istio-federation/sa/federation-egress"
	shopReviews   = "http://reviews.shop:9080"
	shopListener  = "p9080.reviews.shop.east.egress.fed.west.example"
)

func defaultLog(t *T) {
	target := unique()
	t.Want(productpage, "200", reviews(target))
	for _, one := range []struct {
		m    *mesh.Mesh
		name string
	}{{t.East, reviewsSNI + " reviews-9080-west"}, {t.West, bindingSNI + " reviews-9080-default-east"}} {
		var line string
		t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
			for _, line = range t.logLines(one.m) {
				if strings.Contains(line, target) {
					return nil
				}
			}
			return fmt.Errorf("mesh %s has not logged %s", one.m.Name, target)
		}))
		if !strings.HasSuffix(line, one.name) || strings.Contains(line, "spiffe://") {
			t.Errorf("mesh %s logs %s", one.m.Name, line)
		}
		t.Logf("… %s", one.name)
	}
}

func impostor(t *T) {
	const counter = "envoy_cluster_ssl_fail_verify_san"
	before := t.counter(t.West, counter, reviewsSNI)
	standInForEast(t, "spiffe://east.example/ns/default/sa/bookinfo-reviews")
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		target := unique()
		t.Try(productpage, reviews(target))
		time.Sleep(time.Second)
		for _, line := range t.logLines(t.West) {
			if strings.Contains(line, target) && strings.Contains(line, " 503 UF ") && strings.Contains(line, "CERTIFICATE_VERIFY_FAILED") && strings.Contains(line, bindingSNI) {
				return nil
			}
		}
		return fmt.Errorf("no line says so")
	}))
	after := t.counter(t.West, counter, reviewsSNI)
	if after <= before {
		t.Errorf("%s was %d and is %d", counter, before, after)
	}
	t.Logf("503 UF, CERTIFICATE_VERIFY_FAILED, %s", counter)
}

func unique() string { return "/reviews/" + strconv.FormatInt(time.Now().UnixNano(), 36) }

func loggedIn(t *T) {
	for _, one := range []struct {
		from     From
		peer, id string
	}{{shopAPI, "west", egressID}, {northAPI, "north", northEgressID}} {
		var line logEntry
		// A connection from before the log's format changed is logged as it was, until the gateway has drained it.
		t.Must(mesh.Wait(t.Context(), time.Minute, func() error {
			target := unique()
			t.Want(one.from, "200", traffic.Probe{URL: shopReviews + target + "?secret=1"})
			time.Sleep(time.Second)
			all := t.accessLog(t.East)
			index := slices.IndexFunc(all, func(e logEntry) bool { return e.text("path") == target })
			if index < 0 {
				return fmt.Errorf("mesh east does not log calls of %s so", one.peer)
			}
			line = all[index]
			return nil
		}))
		t.compareFields("a call of "+one.peer, line, map[string]string{
			"listener": reviewOf(one.peer), "caller": one.id, "status": "200", "method": "GET", "route": "reviews-9080-" + one.peer,
			"server": "spiffe://east.example/ns/default/sa/bookinfo-reviews", "details": "via_upstream",
		})
		if len(line.text("serial")) < 16 {
			t.Errorf("the serial number is %s", line.text("serial"))
		}
		t.Logf("%s, %s", line.text("listener"), line.text("caller"))
	}
}

func loggedOut(t *T) {
	for _, from := range []From{shopAPI, batch} {
		target := unique()
		t.Want(from, "200", traffic.Probe{URL: shopReviews + target})
		account := strings.TrimPrefix(from.Workload, "shop/")
		line := t.logged(t.West, 0, map[string]string{"path": target})
		t.compareFields("a call of "+account, line, map[string]string{
			"listener": shopListener, "caller": "spiffe://west.example/ns/shop/sa/" + account, "status": "200", "server": ingressID,
			"cluster": "outbound|15443||" + reviewsSNI, "upstream": eastAddress,
		})
		t.Logf("%s to %s", line.text("caller"), line.text("cluster"))
	}
}

func loggedRefusal(t *T) {
	target := unique()
	t.Want(shopAPI, "403", traffic.Probe{URL: shopReviews + target, Method: "POST"})
	at := t.logged(t.East, 0, map[string]string{"path": target})
	t.compareFields("at the ingress gateway", at, map[string]string{
		"listener": reviewsSNI, "caller": egressID, "status": "403", "method": "POST", "route": "reviews-9080-west-refused",
		"details": "rbac_access_denied_matched_policy[none]", "upstream": "-",
	})
	t.compareFields("at the egress gateway", t.logged(t.West, 0, map[string]string{"path": target}), map[string]string{
		"caller": "spiffe://west.example/ns/shop/sa/api", "status": "403", "details": "via_upstream",
	})
	t.Logf("%s %s", at.text("details"), at.text("route"))
}

func loggedConnection(t *T) {
	in, out := len(t.accessLog(t.East)), len(t.accessLog(t.West))
	t.Want(shopAPI, "open", tcpBytes("mysql.shop:3306", "hello")(t.Federation))
	at := t.logged(t.East, in, map[string]string{"listener": mysqlOf("west")})
	t.compareFields("at the ingress gateway", at, map[string]string{"caller": egressID, "received": "5", "server": "spiffe://east.example/ns/db/sa/mysql", "status": "0"})
	t.compareFields("at the egress gateway", t.logged(t.West, out, map[string]string{"listener": "p3306.mysql.shop.east.egress.fed.west.example"}), map[string]string{
		"caller": "spiffe://west.example/ns/shop/sa/api", "received": "5", "server": ingressID, "cluster": "outbound|15443||" + mysqlOf("west"),
	})
	t.Logf("%s bytes in, %s out, %s ms", at.text("received"), at.text("sent"), at.text("milliseconds"))
}

func loggedRefusedConnection(t *T) {
	out := len(t.accessLog(t.West))
	t.Want(From{"west", "shop/other"}, "closed | reset", tcpBytes("mysql.shop:3306", "hello")(t.Federation))
	line := t.logged(t.West, out, map[string]string{"listener": "p3306.mysql.shop.east.egress.fed.west.example"})
	t.compareFields("at the egress gateway", line, map[string]string{"caller": "spiffe://west.example/ns/shop/sa/other", "received": "0"})
	t.Logf("%s, %s bytes", line.text("caller"), line.text("received"))
	in := len(t.accessLog(t.East))
	t.Want(outside, "alert: *", toServer(mysqlOf("west"), "tcp", noCertificate)(t.Federation))
	stranger := t.logged(t.East, in, map[string]string{"listener": mysqlOf("west"), "caller": "-"})
	t.compareFields("at the ingress gateway", stranger, map[string]string{"received": "0", "address": "203.0.113.66:*"})
	t.Logf("a stranger: %s", stranger.text("address"))
}

func loggedUnknownName(t *T) {
	const nobody = "p1.nobody.west.fed.east.example"
	before := len(t.accessLog(t.East))
	t.Want(outside, outcome.CutOff, toIngress(genuineWest, withSNI(nobody))(t.Federation))
	line := t.logged(t.East, before, map[string]string{"listener": nobody})
	t.compareFields("an unknown server name", line, map[string]string{"flags": "NR", "details": "filter_chain_not_found", "caller": "-", "address": "203.0.113.66:*"})
	t.Logf("%s %s from %s", line.text("flags"), line.text("details"), line.text("address"))
}

func countedAttackers(t *T) {
	logs := len(t.accessLog(t.East))
	for _, one := range []struct {
		what, counter string
		shown         certificateSource
	}{
		{"no certificate", "envoy_listener_ssl_fail_verify_no_cert", noCertificate},
		{"a CA that nobody knows", "envoy_listener_ssl_fail_verify_error", foreignCA(pki.Request{SpiffeID: egressID})},
		{"another identity of the peer", "envoy_listener_ssl_fail_verify_san", meshCA("west", otherOfWest)},
	} {
		before := t.counter(t.East, one.counter, "15443")
		t.Want(outside, "alert: *", toIngress(one.shown)(t.Federation))
		t.waitForCounter(t.East, before, 1, one.counter, "15443")
		t.Logf("%s: %s", one.what, one.counter)
	}
	t.Want(shopAPI, "200", traffic.Probe{URL: shopReviews + "/reviews/after"}) // whatever was to be logged is logged by then
	t.logged(t.East, logs, map[string]string{"path": "/reviews/after"})
	for _, e := range t.accessLog(t.East)[logs:] {
		if e.text("path") != "/reviews/after" {
			t.Errorf("logged: %v", e)
		}
	}
}

func countedCaller(t *T) {
	const counter = "envoy_listener_ssl_fail_verify_san"
	before := t.counter(t.West, counter, "15443")
	target := unique()
	t.Want(From{"west", "shop/other"}, "503", traffic.Probe{URL: shopReviews + target})
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		if now := t.counter(t.West, counter, "15443"); now <= before {
			return fmt.Errorf("%s is still %d", counter, now)
		}
		return nil
	}))
	t.Want(shopAPI, "200", traffic.Probe{URL: shopReviews + target + "-after"})
	t.logged(t.West, 0, map[string]string{"path": target + "-after"})
	for _, e := range t.accessLog(t.West) {
		if e.text("path") == target {
			t.Errorf("logged: %v", e)
		}
	}
	t.Logf("%s", counter)
}

func countedApart(t *T) {
	type counted struct{ good, refused, denied int }
	count := func(peer string) counted {
		name := "envoy_http_reviews_9080_" + peer
		return counted{
			t.counter(t.East, name+"_downstream_rq", `"2xx"`), t.counter(t.East, name+"_downstream_rq", `"4xx"`), t.counter(t.East, name+"_rbac", `"denied"`),
		}
	}
	west, north := count("west"), count("north")
	for range 3 {
		t.Want(shopAPI, "200", traffic.Probe{URL: shopReviews + "/reviews/0"})
	}
	t.Want(shopAPI, "403", traffic.Probe{URL: shopReviews + "/reviews/0", Method: "POST"})
	want := counted{west.good + 3, west.refused + 1, west.denied + 1}
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		if now := count("west"); now != want {
			return fmt.Errorf("west has %v, and not %v", now, want)
		}
		return nil
	}))
	if now := count("north"); now != north {
		t.Errorf("north had %v and has %v, and did nothing", north, now)
	}
	t.Logf("west %v, north %v", want, north)
	out := t.counter(t.West, "envoy_cluster_upstream_rq", reviewsSNI, `"2xx"`)
	t.Want(batch, "200", traffic.Probe{URL: shopReviews + "/reviews/0"})
	t.waitForCounter(t.West, out, 1, "envoy_cluster_upstream_rq", reviewsSNI, `"2xx"`)
}

func deadPeer(t *T) {
	const failed = "envoy_cluster_upstream_cx_connect_fail"
	before := t.counter(t.West, failed, reviewsSNI)
	t.answersAtTheEnd(shopAPI, traffic.Probe{URL: shopReviews + "/reviews/0"})
	t.changeObject(t.West, t.manifest(t.West, "ServiceEntry", "fed-out-reviews-9080-east"), func(entry map[string]any) {
		t.Must(unstructured.SetNestedSlice(entry, []any{map[string]any{"address": "203.0.113.20", "ports": map[string]any{"http2-federation": int64(9)}}}, "spec", "endpoints"))
	})
	var target string
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		target = unique()
		if got := t.Try(shopAPI, traffic.Probe{URL: shopReviews + target})[0].Outcome(); got != "503" {
			return fmt.Errorf("the peer still answers: %s", got)
		}
		return nil
	}))
	line := t.logged(t.West, 0, map[string]string{"path": target})
	t.compareFields("a call to a dead peer", line, map[string]string{
		"status": "503", "flags": "UF", "caller": "spiffe://west.example/ns/shop/sa/api", "cluster": "outbound|15443||" + reviewsSNI, "upstream": "203.0.113.20:9",
	})
	t.Logf("%s %s", line.text("flags"), line.text("details"))
	if now := t.counter(t.West, failed, reviewsSNI); now <= before {
		t.Errorf("%s was %d and is %d", failed, before, now)
	}
}

// counter reads one of those that Prometheus would read, and that has all these in its labels; what was never counted is 0.
func (t *T) counter(m *mesh.Mesh, name string, labels ...string) int {
	text, err := m.Admin(t.Context(), gatewayOf(m.Name), "stats/prometheus")
	t.Must(err)
	for _, line := range strings.Split(text, "\n") {
		found := prometheusSample.FindStringSubmatch(line)
		if found == nil || found[1] != name || slices.ContainsFunc(labels, func(label string) bool { return !strings.Contains(found[2], label) }) {
			continue
		}
		value, err := strconv.Atoi(found[3])
		t.Must(err)
		return value
	}
	return 0
}

var prometheusSample = regexp.MustCompile(`^(\w+)\{(.*)\} (\d+)$`)

// waitForCounter waits until a counter has grown by so much.
func (t *T) waitForCounter(m *mesh.Mesh, before, by int, name string, labels ...string) {
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		if now := t.counter(m, name, labels...); now != before+by {
			return fmt.Errorf("%s %v was %d and is %d", name, labels, before, now)
		}
		return nil
	}))
}
