package cases

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

var (
	shopAPI       = From{"west", "shop/api"}      // may use every name of these scenarios
	shopOther     = From{"west", "shop/other"}    // a neighbour that may use none
	shopResolver  = From{"west", "shop/resolver"} // as api, with Istio's DNS proxy
	otherResolver = From{"west", "shop/nosy"}     // as other, with it
)

// protocols are what people connect besides plain HTTP: both directions of talk, and nobody else's.
func protocols() []Case {
	refusedTCP := "closed | reset"
	return inScenario("protocols",
		analyzed("protocols"),
		askDetailed("protocols/tcp-server-first", guarantee.ExplicitAccess, "A TCP server that speaks first reaches the caller with its greeting and its answer", shopAPI, tcpBytes("mysql:3306", "hello"), "open: 220 lab ready echo: hello"),
		askDetailed("protocols/tcp-server-first-refused", guarantee.EgressCallers, "An unlisted workload receives no byte of the TCP server's greeting", shopOther, tcpBytes("mysql:3306", "hello"), refusedTCP),
		askDetailed("protocols/tcp-server-first-outside", guarantee.ServerPerPeer, "An external attacker who knows the SNI cannot reach the TCP server without a certificate", outside, toServer("p3306.mysql.west.fed.east.example", "tcp", noCertificate), outcome.NoCertificate),
		askDetailed("protocols/tcp-client-first", guarantee.ExplicitAccess, "A TCP client that speaks first receives an answer, at a local port of another number", shopAPI, tcpBytes("events:3306", "hello"), "open: echo: hello"),
		askDetailed("protocols/tcp-client-first-refused", guarantee.EgressCallers, "An unlisted workload receives no answer from the TCP server", shopOther, tcpBytes("events:3306", "hello"), refusedTCP),
		ask("protocols/grpc-unary", guarantee.ExplicitAccess, "A unary gRPC call succeeds", shopAPI, grpcCall("search:9000", "/search.Query/Find"), "OK"),
		askDetailed("protocols/grpc-trailers", guarantee.ExplicitAccess, "The trailers of a gRPC answer reach the caller", shopAPI, grpcCall("search:9000", "/search.Query/Find"), "OK: x-lab-trailer: yes"),
		ask("protocols/grpc-stream", guarantee.ExplicitAccess, "A gRPC stream succeeds", shopAPI, grpcCall("search:9000", "/search.Query/Stream"), "OK"),
		ask("protocols/grpc-status", guarantee.ExplicitAccess, "The gRPC status that the service returns reaches the caller", shopAPI, grpcCall("search:9000", "/search.Query/Fail"), "FAILED_PRECONDITION"),
		ask("protocols/grpc-one-method", guarantee.TwoControls, "The exporter allows the single gRPC method that a rule names", shopAPI, grpcCall("search:9000", "/search.Admin/Status"), "OK"),
		ask("protocols/grpc-other-method", guarantee.TwoControls, "The exporter denies another method of the same gRPC service", shopAPI, grpcCall("search:9000", "/search.Admin/Stop"), "PERMISSION_DENIED"),
		ask("protocols/grpc-other-service", guarantee.TwoControls, "The exporter denies another gRPC service", shopAPI, grpcCall("search:9000", "/search.Queries/Find"), "PERMISSION_DENIED"),
		ask("protocols/grpc-refused", guarantee.EgressCallers, "The egress gateway rejects an unlisted workload that calls by gRPC", shopOther, grpcCall("search:9000", "/search.Query/Find"), "UNAVAILABLE"),
		Case{Name: "protocols/tls-end-to-end", Guarantees: guarantee.TLSOnEveryHop, Expect: "The application's own TLS reaches the caller with the application's certificate, inside our mutual TLS", Run: ownTLS},
		ask("protocols/tls-refused", guarantee.EgressCallers, "An unlisted workload cannot reach the application's own TLS server", shopOther, getApplicationTLS("vault:8200"), refusedTCP),
		Case{Name: "protocols/own-name", Guarantees: guarantee.ExplicitAccess | guarantee.TLSOnEveryHop, Expect: "A caller that dials an additional host receives a certificate for that name", Run: ownName},
		ask("protocols/own-name-http", guarantee.ExplicitAccess, "A caller reaches an HTTP export by an additional host", shopResolver, get("http://chat.east.example:8080/rooms/1"), "200"),
		ask("protocols/own-name-second", guarantee.ExplicitAccess, "A caller reaches an HTTP export by the second of several additional hosts", shopResolver, get("http://talk.east.example:8080/rooms/1"), "200"),
		ask("protocols/own-name-rules", guarantee.TwoControls, "The exporter's rules apply to calls by an additional host", shopResolver, get("http://chat.east.example:8080/admin"), "403"),
		ask("protocols/own-name-refused", guarantee.EgressCallers, "An unlisted workload resolves the additional host and cannot reach the TLS server behind it", otherResolver, getApplicationTLS("vault.east.example:8200"), refusedTCP),
		ask("protocols/own-name-refused-http", guarantee.EgressCallers, "An unlisted workload resolves the additional host and cannot reach the HTTP export behind it", otherResolver, get("http://chat.east.example:8080/rooms/1"), "503"),
		ask("protocols/own-name-not-asked", guarantee.ExplicitAccess, "An additional host does not resolve for a workload without Istio's DNS proxy", shopAPI, getApplicationTLS("vault.east.example:8200"), "name"),
		ask("protocols/own-name-other-namespace", guarantee.ExplicitAccess, "A listed caller of another namespace reaches the export by the additional host", From{"west", "elsewhere/resolver"}, get("http://chat.east.example:8080/rooms/1"), "200"),
		Case{Name: "protocols/own-name-taken", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server rejects routes and ServiceEntries of other tenants for an additional host, wildcards included", Run: ownNameTaken},
		ask("protocols/own-name-elsewhere", guarantee.ExplicitAccess, "An additional host does not resolve in a namespace without callers of that binding", From{"west", "elsewhere/resolver"}, getApplicationTLS("vault.east.example:8200"), "name"),
		ask("protocols/websocket", guarantee.ExplicitAccess, "A WebSocket connection succeeds", shopAPI, webSocketMessage("ws://chat:8080/rooms/1"), "101"),
		ask("protocols/websocket-refused", guarantee.TwoControls, "The exporter denies a WebSocket connection to a path that no rule allows", shopAPI, webSocketMessage("ws://chat:8080/admin"), "403"),
		ask("protocols/http2-caller", guarantee.ExplicitAccess, "A caller that speaks HTTP/2 to its sidecar reaches an HTTP export", shopAPI, getHTTP2("http://chat:8080/rooms/1"), "200"),
		ask("protocols/several-http", guarantee.ExplicitAccess, "One local name serves three protocols: the HTTP port answers", shopAPI, get("http://multi:8080/public/1"), "200"),
		ask("protocols/several-http-rules", guarantee.TwoControls, "One local name serves three protocols: the HTTP rules apply to the HTTP port", shopAPI, get("http://multi:8080/private/1"), "403"),
		ask("protocols/several-grpc", guarantee.ExplicitAccess, "One local name serves three protocols: the gRPC port answers", shopAPI, grpcCall("multi:9090", "/multi.Api/Get"), "OK"),
		ask("protocols/several-grpc-rules", guarantee.TwoControls, "One local name serves three protocols: the gRPC rules apply to the gRPC port", shopAPI, grpcCall("multi:9090", "/multi.Api/Put"), "PERMISSION_DENIED"),
		askDetailed("protocols/several-tcp", guarantee.ExplicitAccess, "One local name serves three protocols: the TCP port answers", shopAPI, tcpBytes("multi:7001", "hello"), "open: echo: hello"),
		ask("protocols/exception", guarantee.TwoControls, "The exporter denies a path that a rule excepts", shopAPI, get("http://chat:8080/rooms/private/1"), "403"),
		ask("protocols/exception-dots", guarantee.TwoControls, "The exporter denies an excepted path that is written with dot segments", shopAPI, get("http://chat:8080/rooms/1/../private/1"), "403"),
		ask("protocols/exception-escaped", guarantee.TwoControls, "The exporter denies an excepted path that is written with a percent-encoded letter", shopAPI, get("http://chat:8080/rooms/%70rivate/1"), "403"),
		ask("protocols/exception-encoded-slash", guarantee.TwoControls, "The exporter rejects an encoded slash, which a backend may decode into an excepted path", shopAPI, get("http://chat:8080/rooms/1/..%2fprivate/1"), "400"),
		ask("protocols/exception-encoded-twice", guarantee.TwoControls, "The exporter rejects a path that becomes an excepted one when it is decoded twice", shopAPI, get("http://chat:8080/rooms/1/%252e%252e/private/1"), "400"),
		ask("protocols/exception-overlong", guarantee.TwoControls, "The exporter rejects overlong UTF-8 that a backend may decode into an excepted path", shopAPI, get("http://chat:8080/rooms/1/%c0%ae%c0%ae/private/1"), "400"),
		ask("protocols/plain-escapes", guarantee.TwoControls, "The gateways leave ordinary percent-encoding unchanged", shopAPI, get("http://chat:8080/rooms/caf%C3%A9%20100%25"), "200"),
		ask("protocols/required-header", guarantee.TwoControls, "A request with the header that a rule requires reaches the excepted path", shopAPI, withHeader("http://chat:8080/rooms/private/1", "x-member", "yes"), "200"),
		ask("protocols/required-header-value", guarantee.TwoControls, "The exporter denies the excepted path when the required header has another value", shopAPI, withHeader("http://chat:8080/rooms/private/1", "x-member", "yes, really"), "403"),
		ask("protocols/request-timeout", guarantee.TwoControls, "The ingress gateway ends a request after the timeout that the exporter configures", shopAPI, withTimeout(get("http://chat:8080/rooms/1?delay=3s"), 5*time.Second), "504"),
	)
}

// sources are several peers, and pods of our own, behind one name.
func sources() []Case {
	return inScenario("several-sources",
		analyzed("several-sources"),
		Case{Name: "sources/weights", Guarantees: guarantee.ExplicitAccess, Expect: "The sidecar distributes requests by the configured weights; local pods receive the Host that callers dial", Run: weights},
		ask("sources/header", guarantee.ExplicitAccess, "Requests with a matching header reach the export of that route match", productpage, withHeader("http://reviews:9080/", "x-tester", "yes"), "200"),
		Case{Name: "sources/headers-choose", Guarantees: guarantee.ExplicitAccess, Expect: "The route match with the most headers takes precedence", Run: headersChoose},
		Case{Name: "sources/tcp", Guarantees: guarantee.ExplicitAccess, Expect: "The sidecar distributes TCP connections over two peers", Run: sharedConnections},
		Case{Name: "sources/grpc", Guarantees: guarantee.ExplicitAccess, Expect: "The sidecar distributes gRPC calls over two peers, call by call", Run: sharedCalls},
		askDetailed("sources/tcp-refused", guarantee.EgressCallers, "An unlisted workload receives no byte from either peer", shopOther, tcpBytes("orders:3306", "hello"), "closed | reset"),
		Case{Name: "sources/other-caller", Guarantees: guarantee.EgressCallers, Expect: "An unlisted workload fails for the weight of the peers only; local pods answer the other requests", Run: otherCaller},
		ask("sources/elsewhere-unchanged", guarantee.WorkloadsUntouched, "A namespace without callers still reaches the existing Service by its name", otherNamespace, get("http://reviews.default:9080/"), "200"),
		ask("sources/other-port-unchanged", guarantee.WorkloadsUntouched, "Callers still reach a port of the existing Service that no binding uses", productpage, get("http://reviews:9081/"), "200"),
	)
}

// wideCallers are callers that nobody lists.
func wideCallers() []Case {
	return inScenario("wide-callers",
		analyzed("wide-callers"),
		ask("callers/anybody", guarantee.EgressCallers, "A local name for the whole mesh accepts a workload of any namespace", productpage, get("http://public.partners:9080/"), "200"),
		ask("callers/anybody-beside-own-rule", guarantee.EgressCallers, "A local name for the whole mesh accepts a workload whose namespace is listed for another local name", otherNamespace, get("http://public.partners:9080/"), "200"),
		ask("callers/anybody-rules", guarantee.TwoControls, "The exporter's rules apply to a local name for the whole mesh", productpage, request("POST", "http://public.partners:9080/"), "403"),
		ask("callers/anybody-with-a-sidecar", guarantee.TLSOnEveryHop, "A local name for the whole mesh rejects a workload without a sidecar, which has no identity", noSidecar, get("http://public.partners:9080/"), "refused | timeout | unreachable"),
		ask("callers/namespace", guarantee.EgressCallers, "A local name for one namespace accepts any service account of that namespace", otherAccount, get("http://shared.partners:9080/"), "200"),
		ask("callers/namespace-only", guarantee.EgressCallers, "A local name for one namespace rejects workloads of other namespaces", otherNamespace, get("http://shared.partners:9080/"), "403 | 503 | reset | closed"),
		ask("callers/egress-other-namespace", guarantee.EgressCallers, "The egress gateway denies the genuine certificate of a workload outside the allowed namespace", noSidecar,
			toEgress(meshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/elsewhere/sa/visitor"}), withSNI("p9080.shared.partners.east.egress.fed.west.example"), withURLHost("p9080.shared.partners.east.egress.fed.west.example")), "403"),
		ask("callers/egress-own-namespace", guarantee.EgressCallers, "The egress gateway accepts the genuine certificate of a workload in the allowed namespace", noSidecar,
			toEgress(meshCA("west", otherOfWest), withSNI("p9080.shared.partners.east.egress.fed.west.example"), withURLHost("p9080.shared.partners.east.egress.fed.west.example")), "200"),
		ask("callers/named-beside", guarantee.EgressCallers, "A local name for one service account accepts that account beside wider local names", otherNamespace, get("http://own.partners:9080/"), "200"),
		ask("callers/named-beside-refused", guarantee.EgressCallers, "A local name for one service account rejects other workloads beside wider local names", productpage, get("http://own.partners:9080/"), "503 | reset | closed"),
	)
}

// askDetailed is a case that is one probe, and what it brought: the outcome, and the bytes or the trailers that came.
func askDetailed(name string, guarantees guarantee.Set, expect string, from From, probe func(*federation.Federation) traffic.Probe, want string) Case {
	read := func(answer traffic.Answer) string {
		text := answer.Outcome()
		switch {
		case answer.GRPC != "" && header(answer.Trailer, "x-lab-trailer") != "":
			text += ": x-lab-trailer: " + header(answer.Trailer, "x-lab-trailer")
		case answer.GRPC == "" && answer.Body != "":
			text += ": " + strings.Join(strings.Fields(answer.Body), " ")
		}
		return text
	}
	return attempts(name, guarantees, expect, Attempt{From: from, Probe: probe, Want: want, Read: read})
}

// withTimeout waits longer for an answer than others do.
func withTimeout(probe func(*federation.Federation) traffic.Probe, timeout time.Duration) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		p := probe(f)
		p.Timeout = timeout
		return p
	}
}

func tcpBytes(address, text string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe {
		return traffic.Probe{Kind: "tcp", URL: "tcp://" + address, Body: text}
	}
}

func grpcCall(address, method string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe {
		return traffic.Probe{Kind: "grpc", URL: "http://" + address + method, Body: "hello"}
	}
}

func webSocketMessage(url string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe {
		return traffic.Probe{Kind: "websocket", URL: strings.Replace(url, "ws://", "http://", 1), Body: "hello"}
	}
}

func getHTTP2(url string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe { return traffic.Probe{Kind: "h2", URL: url} }
}

func getApplicationTLS(address string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe {
		return traffic.Probe{URL: "https://" + address + "/", TLS: &traffic.TLS{ServerName: strings.Split(address, ":")[0]}}
	}
}

func withHeader(url, name, value string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe {
		return traffic.Probe{URL: url, Header: [][2]string{{name, value}}}
	}
}

// toServer is a connection to one server of east's ingress gateway.
func toServer(serverName, kind string, shown certificateSource) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		leaf := shown(f)
		return traffic.Probe{Kind: kind, URL: "tcp://" + eastAddress, TLS: &traffic.TLS{ServerName: serverName, Cert: leaf.Cert, Key: leaf.Key}}
	}
}

func withURLHost(name string) func(*traffic.Probe) {
	return func(p *traffic.Probe) { p.URL = "https://" + name + "/" }
}

func ownTLS(t *T) {
	answer := t.Try(shopAPI, getApplicationTLS("vault:8200")(t.Federation))[0]
	if answer.Outcome() != "200" || answer.Seen == nil {
		t.Errorf("%s%s", answer.Outcome(), detail(answer))
		return
	}
	leaf := parseChain(answer.Certificates)[0]
	t.Logf("certificate %q, TLS %s, server name %q", leaf.Subject.CommonName, answer.TLSVersion, answer.Seen.ServerName)
	if len(leaf.URIs) > 0 || issuedByMesh(t, leaf) {
		t.Errorf("the certificate is one of the mesh: %v", leaf.URIs)
	}
	if answer.Seen.ServerName != "vault" {
		t.Errorf("the application is asked for %q", answer.Seen.ServerName)
	}
}

func ownName(t *T) {
	answer := t.Try(shopResolver, getApplicationTLS("vault.east.example:8200")(t.Federation))[0]
	if answer.Outcome() != "200" || answer.Seen == nil {
		t.Errorf("%s%s", answer.Outcome(), detail(answer))
		return
	}
	leaf := parseChain(answer.Certificates)[0]
	if err := leaf.VerifyHostname("vault.east.example"); err != nil || answer.Seen.ServerName != "vault.east.example" {
		t.Errorf("asked for %q: %v", answer.Seen.ServerName, err)
	}
	t.Logf("server name %q, certificate for %v", answer.Seen.ServerName, leaf.DNSNames)
}

func ownNameTaken(t *T) {
	route := func(namespace, host, exportTo string) *unstructured.Unstructured {
		return parseObjects(t, fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: lab-takes, namespace: %s}
spec: {hosts: [%s], exportTo: ["%s"], tcp: [{route: [{destination: {host: ratings.default.svc.cluster.local, port: {number: 9080}}}]}]}
`, namespace, host, exportTo))[0]
	}
	entry := func(namespace, host, exportTo string) *unstructured.Unstructured {
		return parseObjects(t, fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: lab-takes, namespace: %s}
spec: {hosts: [%s], exportTo: ["%s"], addresses: [240.99.0.2], resolution: STATIC, ports: [{number: 1, name: tcp, protocol: TCP}], endpoints: [{address: 192.0.2.1}]}
`, namespace, host, exportTo))[0]
	}
	for _, refused := range []*unstructured.Unstructured{
		route("shop", "vault.east.example", "."), route("elsewhere", "vault.east.example", "*"), route("elsewhere", "chat.east.example", "shop"),
		// The oldest of TCP routes is taken, by whatever pattern it matches, and the oldest of entries.
		route("elsewhere", `"*.east.example"`, "shop"), route("elsewhere", `"*.shop.svc.cluster.local"`, "shop"), route("shop", `"*.svc.cluster.local"`, "."),
		entry("elsewhere", "vault.east.example", "shop"), entry("shop", "chat.east.example", "."),
	} {
		if words, no := t.West.Refuses(t.Context(), refused); !no || !strings.Contains(words, "binds to another mesh") {
			t.Errorf("%v: %q", refused.Object["spec"], words)
		}
	}
	for _, taken := range []*unstructured.Unstructured{
		route("elsewhere", "vault.east.example", "."), route("shop", "other.east.example", "."), route("elsewhere", `"*.east.example"`, "."),
		entry("elsewhere", "vault.east.example", "."), entry("shop", "other.east.example", "*"),
	} {
		if words, no := t.West.Refuses(t.Context(), taken); no {
			t.Errorf("%v: %q", taken.Object["spec"], words)
		}
	}
}

func issuedByMesh(t *T, leaf *x509.Certificate) bool {
	for _, m := range t.Meshes() {
		root, err := m.Root(t.Context())
		t.Must(err)
		if leaf.CheckSignatureFrom(parseChain(root)[0]) == nil {
			return true
		}
	}
	return false
}

// meshesOf tells for each pod of some name in which mesh it is.
func (t *T) meshesOf(namespace string) map[string]string {
	meshes := map[string]string{}
	for _, m := range t.Meshes() {
		pods, err := m.List(t.Context(), groupVersionResource("", "v1", "pods"), namespace)
		t.Must(err)
		for _, pod := range pods {
			meshes[pod.GetName()] = m.Name
		}
	}
	return meshes
}

func weights(t *T) {
	meshes, shares, hosts := t.meshesOf("default"), map[string]int{}, map[string]string{}
	probes := make([]traffic.Probe, 200)
	for i := range probes {
		probes[i] = traffic.Probe{URL: "http://reviews:9080/"}
	}
	for _, answer := range t.Try(productpage, probes...) {
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
	if hosts["west"] != "reviews:9080" || hosts["east"] != reviewsHost || hosts["north"] != reviewsHost {
		t.Errorf("Hosts seen: %v", hosts)
	}
}

func headersChoose(t *T) {
	meshes := t.meshesOf("default")
	for _, one := range []struct {
		headers [][2]string
		want    string
	}{
		{[][2]string{{"x-tester", "yes"}}, "east reviews-v2"},
		{[][2]string{{"x-tester", "yes"}, {"x-pinned", "here"}}, "west reviews"},
		{[][2]string{{"x-tester", "no"}, {"x-pinned", "here"}}, "any"},
	} {
		for range 8 {
			answer := t.Try(productpage, traffic.Probe{URL: "http://reviews:9080/", Header: one.headers})[0]
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

// connections are those that an application has accepted at a port.
func (t *T) connections(meshName, workload string, port int) int {
	m := t.Mesh(meshName)
	pod, err := m.Pod(t.Context(), workload)
	t.Must(err)
	log, err := m.Logs(t.Context(), pod, "app")
	t.Must(err)
	return strings.Count(log, fmt.Sprintf("port=%d connection", port))
}

func sharedConnections(t *T) {
	before := map[string]int{"east": t.connections("east", "db/mysql", 3306), "north": t.connections("north", "db/mysql", 3306)}
	probes := make([]traffic.Probe, 60)
	for i := range probes {
		probes[i] = tcpBytes("orders:3306", "hello")(t.Federation)
	}
	t.Want(shopAPI, "open", probes...)
	east, north := t.connections("east", "db/mysql", 3306)-before["east"], t.connections("north", "db/mysql", 3306)-before["north"]
	t.Logf("of 60 connections at 50/50: east %d, north %d", east, north)
	if east < 11 || north < 11 {
		t.Errorf("one of them has next to nothing")
	}
}

func sharedCalls(t *T) {
	meshes, shares := t.meshesOf("search"), map[string]int{}
	probes := make([]traffic.Probe, 60)
	for i := range probes {
		probes[i] = grpcCall("search:9000", "/search.Query/Find")(t.Federation)
	}
	for _, answer := range t.Try(shopAPI, probes...) {
		pod, _, _ := strings.Cut(strings.TrimLeft(answer.Body, "\x00"), ":")
		shares[meshes[pod]]++
		if answer.GRPC != "OK" || header(answer.Trailer, "x-lab-trailer") != "yes" {
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
	meshes := t.meshesOf("default")
	for _, answer := range t.Try(otherAccount, probes...) {
		outcomes[answer.Outcome()]++
		if answer.Seen != nil && meshes[answer.Seen.Pod] != "west" {
			t.Errorf("a pod of mesh %s answered", meshes[answer.Seen.Pod])
		}
	}
	t.Logf("of 100: %d answered by our own pods, %d refused", outcomes["200"], outcomes["503"])
	if outcomes["200"]+outcomes["503"] != 100 || outcomes["503"] < 5 || outcomes["200"] < 40 {
		t.Errorf("outcomes are %v", outcomes)
	}
}
