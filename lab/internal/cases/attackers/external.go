// Package attackers holds attacks from outside of all meshes, by compromised peers, and by workloads of a mesh that
// no binding lists.
package attackers

import (
	"crypto/x509"
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

// External are attacks on east's ingress gateway that bypass every egress gateway.
func External() []Case {
	return slices.Concat(
		InScenario("two-meshes-http", certificates()...),
		InScenario("two-meshes-http", serverNames()...),
		InScenario("two-meshes-http", requests()...),
		InScenario("two-meshes-http", paths()...),
		InScenario("three-meshes", peers()...),
	)
}

// certificates are attempts with various client certificates, on an SNI that exists.
func certificates() []Case {
	day := 24 * time.Hour
	attempt := func(name, expect string, shown CertificateSource, want string) Case {
		return Ask("external/"+name, guarantee.ServerPerPeer, expect, Outside, ToIngress(shown), want)
	}
	return []Case{
		attempt("genuine", "The ingress gateway accepts the certificate of west's egress gateway, so no rejection of other certificates is caused by the probe", GenuineWest, "200"),
		attempt("no-certificate", "The ingress gateway rejects a client without a certificate", NoCertificate, outcome.NoCertificate),
		attempt("self-signed", "The ingress gateway rejects a self-signed certificate with the right identity", SelfSigned(pki.Request{SpiffeID: EgressID}), outcome.UnknownAuthority),
		attempt("foreign-ca", "The ingress gateway rejects the right identity from an unknown CA", ForeignCA(pki.Request{SpiffeID: EgressID}), outcome.UnknownAuthority),
		attempt("expired", "The ingress gateway rejects an expired certificate",
			MeshCA("west", pki.Request{SpiffeID: EgressID, NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)}), "alert: expired certificate"),
		attempt("not-yet-valid", "The ingress gateway rejects a certificate that is not valid yet",
			MeshCA("west", pki.Request{SpiffeID: EgressID, NotBefore: time.Now().Add(day), NotAfter: time.Now().Add(2 * day)}), "alert: expired certificate"),
		attempt("another-workload", "The ingress gateway rejects another workload of west",
			MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"}), outcome.WrongIdentity),
		attempt("another-namespace", "The ingress gateway rejects the egress gateway's service account of another namespace of west",
			MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/federation-egress"}), outcome.WrongIdentity),
		attempt("no-identity", "The ingress gateway rejects a certificate of west's CA without any name", MeshCA("west", pki.Request{}), outcome.WrongIdentity),
		attempt("dns-name", "The ingress gateway rejects a certificate with a DNS name in place of a SPIFFE ID", MeshCA("west", pki.Request{DNSNames: []string{"federation-egress.west.example"}}), outcome.WrongIdentity),
		attempt("risk-identity-as-dns", "Known risk: Envoy accepts the SPIFFE ID in a DNS name as well, so west's CA must not issue it there",
			MeshCA("west", pki.Request{DNSNames: []string{EgressID}}), "200"),
		attempt("another-peers-ca", "The ingress gateway rejects west's identity from north's CA", MeshCA("north", pki.Request{SpiffeID: EgressID}), outcome.UnknownAuthority),
		attempt("own-mesh", "The ingress gateway of east rejects east's own certificates", MeshCA("east", pki.Request{SpiffeID: IngressID}), outcome.UnknownAuthority),
		attempt("own-mesh-as-peer", "The ingress gateway rejects west's identity from east's own CA", MeshCA("east", pki.Request{SpiffeID: EgressID}), outcome.UnknownAuthority),
		attempt("wrong-usage", "The ingress gateway rejects a certificate that is valid for servers only",
			MeshCA("west", pki.Request{SpiffeID: EgressID, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}), "alert: unsupported certificate"),
		Ask("external/tls-1.2", guarantee.ServerPerPeer, "The ingress gateway rejects TLS 1.2 even with the genuine certificate", Outside, ToIngress(GenuineWest, func(p *traffic.Probe) { p.TLS.MaxVersion = "1.2" }), "alert: protocol version"),
		Ask("external/plaintext", guarantee.TLSOnEveryHop, "The ingress gateway does not answer without TLS", Outside, func(*federation.Federation) traffic.Probe {
			return traffic.Probe{URL: "http://" + ReviewsSNI + "/reviews/0", Dial: EastAddress}
		}, outcome.CutOff),
	}
}

// serverNames are attempts with the genuine certificate on various SNIs and hosts.
func serverNames() []Case {
	attempt := func(name, expect, want string, change ...func(*traffic.Probe)) Case {
		return Ask("external/"+name, guarantee.ExplicitAccess|guarantee.ServerPerPeer, expect, Outside, ToIngress(GenuineWest, change...), want)
	}
	return []Case{
		attempt("no-sni", "The ingress gateway rejects a handshake without an SNI", outcome.Rejected, WithSNI("")),
		attempt("unknown-sni", "The ingress gateway rejects the SNI of a service that is not exported", outcome.Rejected, WithSNI("p9080.ratings.west.fed.east.example")),
		attempt("backend-sni", "The ingress gateway rejects a backend's own host as SNI", outcome.Rejected, WithSNI(ReviewsHost)),
		attempt("istio-sni", "The ingress gateway rejects the SNIs by which Istio's east-west gateways route", outcome.Rejected, WithSNI("outbound_.9080_._.reviews.default.svc.cluster.local")),
		attempt("another-peers-sni", "The ingress gateway rejects the SNI of a grant to another peer", outcome.Rejected, WithSNI("p9080.reviews.north.fed.east.example")),
		attempt("wildcard-sni", "The ingress gateway rejects a wildcard as SNI", outcome.Rejected, WithSNI("*.west.fed.east.example")),
		attempt("upper-case-sni", "The ingress gateway accepts the SNI in upper case with the genuine certificate", "200", WithSNI(strings.ToUpper(ReviewsSNI))),
		Ask("external/upper-case-sni-without-certificate", guarantee.ServerPerPeer, "The ingress gateway rejects the SNI in upper case without a certificate", Outside, ToIngress(NoCertificate, WithSNI(strings.ToUpper(ReviewsSNI))), outcome.NoCertificate),
		{Name: "external/dotted-sni", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway rejects the SNI with a dot at the end without a certificate", Run: dottedServerName},
		attempt("another-host", "The ingress gateway denies another service's Host on the SNI of an export", "403", WithHost("ratings.default.svc.cluster.local:9080")),
		attempt("backend-host", "The ingress gateway denies the backend's own Host on the SNI of an export", "403", WithHost(ReviewsHost)),
		attempt("dotted-host", "The ingress gateway denies the export's Host with a dot at the end", "403", WithHost(ReviewsSNI+".")),
		attempt("another-host-h2", "The ingress gateway denies another service's Host over HTTP/2", "403", WithHost("ratings.default.svc.cluster.local:9080"), OverHTTP2),
		attempt("h2", "The ingress gateway accepts HTTP/2 with the genuine certificate", "200", OverHTTP2),
		{Name: "external/second-request", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway applies the rules to every request of a connection", Run: secondRequest},
	}
}

// secondRequest sends requests that the rules deny on the connection of an allowed one.
func secondRequest(t *T) {
	for _, kind := range []string{"http", "h2"} {
		p := ToIngress(GenuineWest)(t.Federation)
		p.Kind = kind
		p.Then = []traffic.Probe{
			{URL: "https://ratings.default.svc.cluster.local/reviews/0", Host: "ratings.default.svc.cluster.local"},
			{URL: "https://" + ReviewsSNI + "/admin"},
			{URL: "https://" + ReviewsSNI + "/reviews/1"},
		}
		answer := t.Try(Outside, p)[0]
		outcomes := []string{answer.Outcome()}
		for _, then := range answer.Then {
			outcomes = append(outcomes, then.Outcome())
		}
		t.Logf("%s: %s", kind, strings.Join(outcomes, " "))
		if want := "200 403 403 200"; strings.Join(outcomes, " ") != want {
			t.Errorf("%s: %v, and not %s%s", kind, outcomes, want, Detail(answer))
		}
	}
}

// dottedServerName uses openssl, because Go's client removes the dot.
func dottedServerName(t *T) {
	pod, err := t.West.Pod(t.Context(), NoSidecar.Workload)
	t.Must(err)
	request := fmt.Sprintf("(printf 'GET /reviews/0 HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n'; sleep 1) | timeout 3 openssl s_client -connect %s -servername ", ReviewsSNI, EastAddress)
	for _, name := range []string{ReviewsSNI, ReviewsSNI + "."} { // the first one shows that the client reaches the gateway, and is rejected
		out, err := t.West.Exec(t.Context(), pod, "app", nil, "sh", "-c", request+name+" -tls1_3 2>&1; true")
		t.Must(err)
		switch {
		case !strings.Contains(out, "CONNECTED"):
			t.Errorf("%s: openssl did not get through: %s", name, out)
		case name == ReviewsSNI && !strings.Contains(out, "certificate required"):
			t.Errorf("%s: no alert: %s", name, out)
		case strings.Contains(out, "HTTP/1.1"):
			t.Errorf("%s: there is an answer: %s", name, out)
		}
	}
	t.Logf("no answer")
}

// requests are HTTP requests that two readers may interpret in different ways.
func requests() []Case {
	attempt := func(name, expect, body, want string) Case {
		return Ask("external/"+name, guarantee.TwoControls, expect, Outside, ToIngress(GenuineWest, func(p *traffic.Probe) {
			p.Kind, p.Quiet, p.Body = "raw", time.Second, strings.ReplaceAll(body, "\n", "\r\n")
		}), want)
	}
	start := "POST /reviews/0 HTTP/1.1\nHost: " + ReviewsSNI + "\n"
	hidden := "GET /admin HTTP/1.1\nHost: " + ReviewsSNI + "\n\n"
	return []Case{
		attempt("length-and-chunks", "The ingress gateway rejects a request with Content-Length followed by Transfer-Encoding", start+"Content-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n"+hidden, "400"),
		attempt("chunks-and-length", "The ingress gateway rejects a request with Transfer-Encoding followed by Content-Length", start+"Transfer-Encoding: chunked\nContent-Length: 60\n\n0\n\n"+hidden, "400"),
		attempt("odd-chunks", "The ingress gateway rejects an unknown Transfer-Encoding", start+"Transfer-Encoding: xchunked\n\n0\n\n"+hidden, "400 | 501"),
		attempt("two-lengths", "The ingress gateway rejects two different Content-Length headers", start+"Content-Length: 4\nContent-Length: 5\n\nabcde", "400"),
		attempt("folded-length", "The ingress gateway rejects a Transfer-Encoding that continues in the next line", start+"Content-Length: 4\nTransfer-Encoding:\n chunked\n\n0\n\n"+hidden, "400"),
		{Name: "external/folded-header", Guarantees: guarantee.TwoControls, Expect: "The backend receives a header that continues in the next line as one line", Run: foldedHeader},
		attempt("space-before-colon", "The ingress gateway rejects a header name that ends with a space", "GET /reviews/0 HTTP/1.1\nHost : "+ReviewsSNI+"\n\n", "400"),
		attempt("no-host", "The ingress gateway rejects a request without Host", "GET /reviews/0 HTTP/1.1\n\n", "400"),
		attempt("two-hosts", "The ingress gateway rejects a request with two Host headers", "GET /reviews/0 HTTP/1.1\nHost: "+ReviewsSNI+"\nHost: ratings\n\n", "400 | 403"),
		attempt("absolute-target", "The ingress gateway routes by an absolute request target and ignores Host", "GET http://ratings.default.svc.cluster.local/reviews/0 HTTP/1.1\nHost: "+ReviewsSNI+"\n\n", "403"),
		attempt("connect", "The ingress gateway opens no tunnel for CONNECT", "CONNECT ratings.default.svc.cluster.local:9080 HTTP/1.1\nHost: "+ReviewsSNI+"\n\n", "403 | 404 | 400"),
		Ask("external/long-header", guarantee.TwoControls, "The ingress gateway rejects a header of 100 kB", Outside, ToIngress(GenuineWest, func(p *traffic.Probe) {
			p.Header = [][2]string{{"X-Long", strings.Repeat("a", 100_000)}}
		}), "431"),
		Ask("external/many-headers", guarantee.TwoControls, "The ingress gateway rejects a request with 200 additional headers", Outside, ToIngress(GenuineWest, func(p *traffic.Probe) {
			for i := range 200 {
				p.Header = append(p.Header, [2]string{fmt.Sprintf("X-%d", i), "a"})
			}
		}), "431"),
		{Name: "external/other-ports", Guarantees: guarantee.ExplicitAccess, Expect: "The gateway pods listen on 15443 and on the ports of probes and metrics only", Run: otherPorts},
	}
}

func foldedHeader(t *T) {
	p := ToIngress(GenuineWest)(t.Federation)
	p.Kind, p.Body = "raw", "GET /reviews/0 HTTP/1.1\r\nHost: "+ReviewsSNI+"\r\nX-A: b\r\n c: d\r\n\r\n"
	answer := t.Try(Outside, p)[0]
	t.Logf("%s", answer.Outcome())
	if answer.Outcome() != "200" || !strings.Contains(answer.Body, `["x-a","b c: d"]`) {
		t.Errorf("the backend saw something else: %s", answer.Body)
	}
}

// listening are the ports that a gateway pod may open: ours, readiness, and two for metrics.
var listening = []string{"15020", "15021", "15090", "15443"}

func otherPorts(t *T) {
	for _, gateway := range []Workload{t.Ingress(), t.Egress()} {
		pod, err := gateway.Mesh.Pod(t.Context(), gateway.Workload)
		t.Must(err)
		out, err := gateway.Mesh.Exec(t.Context(), pod, "istio-proxy", nil, "cat", "/proc/net/tcp", "/proc/net/tcp6")
		t.Must(err)
		open := openPorts(out)
		t.Logf("%s: %s", gateway.Name(), strings.Join(open, " "))
		if !slices.Equal(open, listening) {
			t.Errorf("%s listens on %v, and not on %v", gateway.Name(), open, listening)
		}
	}
}

// openPorts reads the kernel's table of sockets that listen on other addresses than the loopback.
func openPorts(table string) []string {
	var open []string
	for _, line := range strings.Split(table, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != "0A" {
			continue
		}
		address, port, _ := strings.Cut(fields[1], ":")
		var number int
		if _, err := fmt.Sscanf(port, "%X", &number); err != nil || address == "0100007F" || address == "00000000000000000000000001000000" {
			continue
		}
		if text := fmt.Sprint(number); !slices.Contains(open, text) {
			open = append(open, text)
		}
	}
	slices.Sort(open)
	return open
}

// paths are spellings of paths that no rule allows, and some that a rule allows.
func paths() []Case {
	var cases []Case
	for _, p := range []struct{ name, target, want string }{
		{"prefix-alone", "/reviews", "403"},
		{"longer-word", "/reviewsadmin", "403"},
		{"upper-case", "/REVIEWS/0", "403"},
		{"double-slash", "//admin", "403"},
		{"double-slash-inside", "/reviews//0", "200"},
		{"double-slash-first", "//reviews/0", "403"},
		{"dots", "/reviews/../admin", "403"},
		{"dots-that-stay", "/reviews/../reviews/0", "200"},
		{"encoded-dots", "/reviews/%2e%2e/admin", "403"},
		{"encoded-dots-upper", "/reviews/%2E%2E/admin", "403"},
		{"half-encoded-dots", "/reviews/.%2e/admin", "403"},
		{"double-encoded-dots", "/reviews/%252e%252e/admin", "400"}, // no spelling of /admin, but for a backend that decodes twice
		{"overlong-dots", "/reviews/%c0%ae%c0%ae/admin", "400"},
		{"encoded-percent", "/reviews/100%25", "200"},
		{"encoded-slash", "/reviews/..%2fadmin", "400"},
		{"encoded-slash-upper", "/reviews/..%2Fadmin", "400"},
		{"backslash", `/reviews/..\admin`, "400 | 403"},
		{"encoded-backslash", "/reviews/..%5cadmin", "400"},
		{"path-parameter", "/reviews/..;/admin", "400 | 403"},
		{"null", "/reviews/%00", "400"},
		{"encoded-letter", "/%72eviews/0", "403 | 200"},
		{"fragment", "/reviews/0#/../../admin", "400 | 200"},
		{"query", "/admin?/reviews/0", "403"},
		{"asterisk", "*", "400 | reset"}, // over HTTP/2 it is no valid request: its stream is reset
	} {
		cases = append(cases, spelling(p.name, p.target, p.want))
	}
	return cases
}

// spelling is sent by the allowed caller, and by a compromised gateway over both versions of HTTP.
func spelling(name, target, want string) Case {
	local := func(*federation.Federation) traffic.Probe {
		return traffic.Probe{URL: "http://reviews:9080", Target: target}
	}
	direct := ToIngress(GenuineWest, func(p *traffic.Probe) { p.URL, p.Target = "https://"+ReviewsSNI, target })
	over2 := ToIngress(GenuineWest, func(p *traffic.Probe) { p.Kind, p.URL, p.Target = "h2", "https://"+ReviewsSNI, target })
	return Attempts("paths/"+name, guarantee.TwoControls|guarantee.ErrorsNotGuesses, fmt.Sprintf("The gateways answer %s for the path `%s`, and the backend sees no path outside of /reviews/", strings.ReplaceAll(want, " | ", " or "), target),
		Attempt{From: Productpage, Probe: local, Want: want, Read: whereItLed},
		Attempt{From: Outside, Probe: direct, Want: want, Read: whereItLed},
		Attempt{From: Outside, Probe: over2, Want: want, Read: whereItLed})
}

// whereItLed is the outcome, and the path if the backend received one that the rules deny.
func whereItLed(answer traffic.Answer) string {
	if answer.Seen != nil && (!strings.HasPrefix(answer.Seen.Path, "/reviews/") || strings.Contains(answer.Seen.Path, "..")) {
		return answer.Outcome() + ", the backend saw " + answer.Seen.Path
	}
	return answer.Outcome()
}

// peers are two peers at one gateway, each with its own genuine certificate.
func peers() []Case {
	const west, north = "p8080.ledger.west.fed.east.example", "p8080.ledger.north.fed.east.example"
	northEgress := MeshCA("north", pki.Request{SpiffeID: "spiffe://north.example/ns/istio-federation/sa/federation-egress"})
	to := func(name string, shown CertificateSource, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
		return ToIngress(shown, append([]func(*traffic.Probe){func(p *traffic.Probe) {
			p.URL, p.TLS.ServerName = "https://"+name+"/entries/1", name
		}}, change...)...)
	}
	post := func(p *traffic.Probe) { p.Method, p.URL = "POST", "https://"+west+"/entries" }
	return []Case{
		Ask("peers/own-name", guarantee.ServerPerPeer, "North calls the export that is granted to it", Outside, to(north, northEgress), "200"),
		Ask("peers/own-name-west", guarantee.ServerPerPeer, "West calls the export that is granted to it", Outside, to(west, GenuineWest, post), "200"),
		Ask("peers/other-sni", guarantee.ServerPerPeer, "The ingress gateway rejects north's certificate on west's SNI", Outside, to(west, northEgress), outcome.UnknownAuthority),
		Ask("peers/other-sni-back", guarantee.ServerPerPeer, "The ingress gateway rejects west's certificate on north's SNI", Outside, to(north, GenuineWest), outcome.UnknownAuthority),
		Ask("peers/other-identity", guarantee.ServerPerPeer, "The ingress gateway rejects west's identity from north's CA on west's SNI", Outside, to(west, MeshCA("north", pki.Request{SpiffeID: EgressID})), outcome.UnknownAuthority),
		Ask("peers/other-identity-own-name", guarantee.ServerPerPeer, "The ingress gateway rejects west's identity from north's CA on north's SNI", Outside, to(north, MeshCA("north", pki.Request{SpiffeID: EgressID})), outcome.WrongIdentity),
		Ask("peers/other-host", guarantee.ServerPerPeer, "The ingress gateway denies north west's Host on north's SNI", Outside, to(north, northEgress, WithHost(west)), "403"),
		Ask("peers/ungranted-port", guarantee.ExplicitAccess, "West has no SNI for the port that is granted to north only", Outside, to("p80.ledger.west.fed.east.example", GenuineWest), outcome.Rejected),
		{Name: "peers/resumed-session", Guarantees: guarantee.ServerPerPeer, Expect: "A TLS session of one SNI cannot be resumed on another SNI", Run: func(t *T) {
			p := to(west, NoCertificate)(t.Federation)
			own := to(north, northEgress)(t.Federation)
			p.TLS.ResumeFrom = own.TLS
			answer := t.Try(Outside, p)[0]
			t.Logf("%s, resumed: %t", answer.Outcome(), answer.Resumed)
			if answer.Resumed || answer.Outcome() != outcome.NoCertificate {
				t.Errorf("%s, resumed: %t%s", answer.Outcome(), answer.Resumed, Detail(answer))
			}
		}},
	}
}
