// Package protocols has the cases for protocols other than plain HTTP, for local names with several sources, and for
// callers by namespace and mesh.
package protocols

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

var shopResolver = Caller("west", "shop/resolver") // as api, with Istio's DNS proxy

var otherResolver = Caller("west", "shop/nosy") // as other, with it

// Cases are protocols besides plain HTTP, in both directions, and callers that must be rejected.
func Cases() []Case {
	refusedTCP := "closed | reset"
	return InScenario("protocols",
		Analyzed("protocols"),
		AskDetailed("protocols/tcp-server-first", guarantee.ExplicitAccess, "A TCP server that speaks first reaches the caller with its greeting and its answer", ShopAPI, TcpBytes("mysql:3306", "hello"), "open: 220 lab ready echo: hello"),
		AskDetailed("protocols/tcp-server-first-refused", guarantee.EgressCallers, "An unlisted workload receives no byte of the TCP server's greeting", ShopOther, TcpBytes("mysql:3306", "hello"), refusedTCP),
		AskDetailed("protocols/tcp-server-first-outside", guarantee.ServerPerPeer, "An external attacker who knows the SNI cannot reach the TCP server without a certificate", Outside, ToServer("p3306.mysql.west.fed.east.example", "tcp", NoCertificate), outcome.NoCertificate),
		AskDetailed("protocols/tcp-client-first", guarantee.ExplicitAccess, "A TCP client that speaks first receives an answer, at a local port of another number", ShopAPI, TcpBytes("events:3306", "hello"), "open: echo: hello"),
		AskDetailed("protocols/tcp-client-first-refused", guarantee.EgressCallers, "An unlisted workload receives no answer from the TCP server", ShopOther, TcpBytes("events:3306", "hello"), refusedTCP),
		Ask("protocols/grpc-unary", guarantee.ExplicitAccess, "A unary gRPC call succeeds", ShopAPI, GrpcCall("search:9000", "/search.Query/Find"), "OK"),
		AskDetailed("protocols/grpc-trailers", guarantee.ExplicitAccess, "The trailers of a gRPC answer reach the caller", ShopAPI, GrpcCall("search:9000", "/search.Query/Find"), "OK: x-lab-trailer: yes"),
		Ask("protocols/grpc-stream", guarantee.ExplicitAccess, "A gRPC stream succeeds", ShopAPI, GrpcCall("search:9000", "/search.Query/Stream"), "OK"),
		Ask("protocols/grpc-status", guarantee.ExplicitAccess, "The gRPC status that the service returns reaches the caller", ShopAPI, GrpcCall("search:9000", "/search.Query/Fail"), "FAILED_PRECONDITION"),
		Ask("protocols/grpc-one-method", guarantee.TwoControls, "The exporter allows the single gRPC method that a rule names", ShopAPI, GrpcCall("search:9000", "/search.Admin/Status"), "OK"),
		Ask("protocols/grpc-other-method", guarantee.TwoControls, "The exporter denies another method of the same gRPC service", ShopAPI, GrpcCall("search:9000", "/search.Admin/Stop"), "PERMISSION_DENIED"),
		Ask("protocols/grpc-other-service", guarantee.TwoControls, "The exporter denies another gRPC service", ShopAPI, GrpcCall("search:9000", "/search.Queries/Find"), "PERMISSION_DENIED"),
		Ask("protocols/grpc-refused", guarantee.EgressCallers, "The egress gateway rejects an unlisted workload that calls by gRPC", ShopOther, GrpcCall("search:9000", "/search.Query/Find"), "UNAVAILABLE"),
		Case{Name: "protocols/tls-end-to-end", Guarantees: guarantee.TLSOnEveryHop, Expect: "The application's own TLS reaches the caller with the application's certificate, inside our mutual TLS", Run: ownTLS},
		Ask("protocols/tls-refused", guarantee.EgressCallers, "An unlisted workload cannot reach the application's own TLS server", ShopOther, getApplicationTLS("vault:8200"), refusedTCP),
		Case{Name: "protocols/own-name", Guarantees: guarantee.ExplicitAccess | guarantee.TLSOnEveryHop, Expect: "A caller that dials an additional host receives a certificate for that name", Run: ownName},
		Ask("protocols/own-name-http", guarantee.ExplicitAccess, "A caller reaches an HTTP export by an additional host", shopResolver, Get("http://chat.east.example:8080/rooms/1"), "200"),
		Ask("protocols/own-name-second", guarantee.ExplicitAccess, "A caller reaches an HTTP export by the second of several additional hosts", shopResolver, Get("http://talk.east.example:8080/rooms/1"), "200"),
		Ask("protocols/own-name-rules", guarantee.TwoControls, "The exporter's rules apply to calls by an additional host", shopResolver, Get("http://chat.east.example:8080/admin"), "403"),
		Ask("protocols/own-name-refused", guarantee.EgressCallers, "An unlisted workload resolves the additional host and cannot reach the TLS server behind it", otherResolver, getApplicationTLS("vault.east.example:8200"), refusedTCP),
		Ask("protocols/own-name-refused-http", guarantee.EgressCallers, "An unlisted workload resolves the additional host and cannot reach the HTTP export behind it", otherResolver, Get("http://chat.east.example:8080/rooms/1"), "503"),
		Ask("protocols/own-name-not-asked", guarantee.ExplicitAccess, "An additional host does not resolve for a workload without Istio's DNS proxy", ShopAPI, getApplicationTLS("vault.east.example:8200"), "name"),
		Ask("protocols/own-name-other-namespace", guarantee.ExplicitAccess, "A listed caller of another namespace reaches the export by the additional host", Caller("west", "elsewhere/resolver"), Get("http://chat.east.example:8080/rooms/1"), "200"),
		Case{Name: "protocols/own-name-taken", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server rejects routes and ServiceEntries of other tenants for an additional host, wildcards included", Run: ownNameTaken},
		Ask("protocols/own-name-elsewhere", guarantee.ExplicitAccess, "An additional host does not resolve in a namespace without callers of that binding", Caller("west", "elsewhere/resolver"), getApplicationTLS("vault.east.example:8200"), "name"),
		Ask("protocols/websocket", guarantee.ExplicitAccess, "A WebSocket connection succeeds", ShopAPI, webSocketMessage("ws://chat:8080/rooms/1"), "101"),
		Ask("protocols/websocket-refused", guarantee.TwoControls, "The exporter denies a WebSocket connection to a path that no rule allows", ShopAPI, webSocketMessage("ws://chat:8080/admin"), "403"),
		Ask("protocols/http2-caller", guarantee.ExplicitAccess, "A caller that speaks HTTP/2 to its sidecar reaches an HTTP export", ShopAPI, getHTTP2("http://chat:8080/rooms/1"), "200"),
		Ask("protocols/several-http", guarantee.ExplicitAccess, "One local name serves three protocols: the HTTP port answers", ShopAPI, Get("http://multi:8080/public/1"), "200"),
		Ask("protocols/several-http-rules", guarantee.TwoControls, "One local name serves three protocols: the HTTP rules apply to the HTTP port", ShopAPI, Get("http://multi:8080/private/1"), "403"),
		Ask("protocols/several-grpc", guarantee.ExplicitAccess, "One local name serves three protocols: the gRPC port answers", ShopAPI, GrpcCall("multi:9090", "/multi.Api/Get"), "OK"),
		Ask("protocols/several-grpc-rules", guarantee.TwoControls, "One local name serves three protocols: the gRPC rules apply to the gRPC port", ShopAPI, GrpcCall("multi:9090", "/multi.Api/Put"), "PERMISSION_DENIED"),
		AskDetailed("protocols/several-tcp", guarantee.ExplicitAccess, "One local name serves three protocols: the TCP port answers", ShopAPI, TcpBytes("multi:7001", "hello"), "open: echo: hello"),
		Ask("protocols/exception", guarantee.TwoControls, "The exporter denies a path that a rule excepts", ShopAPI, Get("http://chat:8080/rooms/private/1"), "403"),
		Ask("protocols/exception-dots", guarantee.TwoControls, "The exporter denies an excepted path that is written with dot segments", ShopAPI, Get("http://chat:8080/rooms/1/../private/1"), "403"),
		Ask("protocols/exception-escaped", guarantee.TwoControls, "The exporter denies an excepted path that is written with a percent-encoded letter", ShopAPI, Get("http://chat:8080/rooms/%70rivate/1"), "403"),
		Ask("protocols/exception-encoded-slash", guarantee.TwoControls, "The exporter rejects an encoded slash, which a backend may decode into an excepted path", ShopAPI, Get("http://chat:8080/rooms/1/..%2fprivate/1"), "400"),
		Ask("protocols/exception-encoded-twice", guarantee.TwoControls, "The exporter rejects a path that becomes an excepted one when it is decoded twice", ShopAPI, Get("http://chat:8080/rooms/1/%252e%252e/private/1"), "400"),
		Ask("protocols/exception-overlong", guarantee.TwoControls, "The exporter rejects overlong UTF-8 that a backend may decode into an excepted path", ShopAPI, Get("http://chat:8080/rooms/1/%c0%ae%c0%ae/private/1"), "400"),
		Ask("protocols/plain-escapes", guarantee.TwoControls, "The gateways leave ordinary percent-encoding unchanged", ShopAPI, Get("http://chat:8080/rooms/caf%C3%A9%20100%25"), "200"),
		Ask("protocols/required-header", guarantee.TwoControls, "A request with the header that a rule requires reaches the excepted path", ShopAPI, withHeader("http://chat:8080/rooms/private/1", "x-member", "yes"), "200"),
		Ask("protocols/required-header-value", guarantee.TwoControls, "The exporter denies the excepted path when the required header has another value", ShopAPI, withHeader("http://chat:8080/rooms/private/1", "x-member", "yes, really"), "403"),
		Ask("protocols/request-timeout", guarantee.TwoControls, "The ingress gateway ends a request after the timeout that the exporter configures", ShopAPI, withTimeout(Get("http://chat:8080/rooms/1?delay=3s"), 5*time.Second), "504"),
	)
}

// withTimeout sets the time-out of a probe.
func withTimeout(probe func(*federation.Federation) traffic.Probe, timeout time.Duration) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		p := probe(f)
		p.Timeout = timeout
		return p
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

func ownTLS(t *T) {
	answer := t.Try(ShopAPI, getApplicationTLS("vault:8200")(t.Federation))[0]
	if answer.Outcome() != "200" || answer.Seen == nil {
		t.Errorf("%s%s", answer.Outcome(), Detail(answer))
		return
	}
	leaf := ParseChain(answer.Certificates)[0]
	t.Logf("certificate %q, TLS %s, SNI %q", leaf.Subject.CommonName, answer.TLSVersion, answer.Seen.ServerName)
	if len(leaf.URIs) > 0 || issuedByMesh(t, leaf) {
		t.Errorf("the certificate is one of the mesh: %v", leaf.URIs)
	}
	if answer.Seen.ServerName != "vault" {
		t.Errorf("the application receives the SNI %q", answer.Seen.ServerName)
	}
}

func ownName(t *T) {
	answer := t.Try(shopResolver, getApplicationTLS("vault.east.example:8200")(t.Federation))[0]
	if answer.Outcome() != "200" || answer.Seen == nil {
		t.Errorf("%s%s", answer.Outcome(), Detail(answer))
		return
	}
	leaf := ParseChain(answer.Certificates)[0]
	if err := leaf.VerifyHostname("vault.east.example"); err != nil || answer.Seen.ServerName != "vault.east.example" {
		t.Errorf("the SNI is %q: %v", answer.Seen.ServerName, err)
	}
	t.Logf("SNI %q, certificate for %v", answer.Seen.ServerName, leaf.DNSNames)
}

func ownNameTaken(t *T) {
	route := func(namespace, host, exportTo string) *unstructured.Unstructured {
		return ParseObjects(t, fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: lab-takes, namespace: %s}
spec: {hosts: [%s], exportTo: ["%s"], tcp: [{route: [{destination: {host: ratings.default.svc.cluster.local, port: {number: 9080}}}]}]}
`, namespace, host, exportTo))[0]
	}
	entry := func(namespace, host, exportTo string) *unstructured.Unstructured {
		return ParseObjects(t, fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: lab-takes, namespace: %s}
spec: {hosts: [%s], exportTo: ["%s"], addresses: [240.99.0.2], resolution: STATIC, ports: [{number: 1, name: tcp, protocol: TCP}], endpoints: [{address: 192.0.2.1}]}
`, namespace, host, exportTo))[0]
	}
	for _, refused := range []*unstructured.Unstructured{
		route("shop", "vault.east.example", "."), route("elsewhere", "vault.east.example", "*"), route("elsewhere", "chat.east.example", "shop"),
		// The oldest of TCP routes is taken, by whatever pattern it matches, and the oldest of entries.
		route("elsewhere", `"*.east.example"`, "shop"), route("elsewhere", `"*.shop.svc.cluster.local"`, "shop"), route("shop", `"*.svc.cluster.local"`, "."),
		entry("elsewhere", "vault.east.example", "shop"), entry("shop", "chat.east.example", "."), entry("elsewhere", "vault.east.example", "."),
	} {
		if words, no := t.West.Refuses(t.Context(), refused); !no || !strings.Contains(words, "binds to another mesh") {
			t.Errorf("%v: %q", refused.Object["spec"], words)
		}
	}
	for _, taken := range []*unstructured.Unstructured{
		route("elsewhere", "vault.east.example", "."), route("shop", "other.east.example", "."), route("elsewhere", `"*.east.example"`, "."),
		entry("elsewhere", `"*.east.example"`, "*"), entry("shop", "other.east.example", "*"),
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
		if leaf.CheckSignatureFrom(ParseChain(root)[0]) == nil {
			return true
		}
	}
	return false
}
