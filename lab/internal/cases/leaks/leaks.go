// Package leaks has the cases for information that crosses the boundary, and that must not.
package leaks

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Cases are what crosses the boundary unintentionally. The lists below are what may cross: everything else is a
// failure.
func Cases() []Case {
	return InScenario("two-meshes-http",
		Case{Name: "leaks/backend-plain", Guarantees: guarantee.NothingInternal, Expect: "The backend receives a plain request with seven known headers, and none reveals internals of west", Run: backendPlain},
		Case{Name: "leaks/backend-forged", Guarantees: guarantee.NothingInternal, Expect: "The gateways remove every proxy header that a caller forges", Run: backendForged},
		Case{Name: "leaks/backend-peer-forges", Guarantees: guarantee.NothingInternal, Expect: "The ingress gateway removes every proxy header that the peer itself forges", Run: backendPeerForges},
		Case{Name: "leaks/request-id", Guarantees: guarantee.NothingInternal, Expect: "Each gateway generates its own request id, and no id appears in the other mesh's logs", Run: requestIDs},
		Case{Name: "leaks/backend-websocket", Guarantees: guarantee.ExplicitAccess | guarantee.NothingInternal, Expect: "A WebSocket connection passes both gateways", Run: webSocketPasses},
		Case{Name: "leaks/wire", Guarantees: guarantee.TLSOnEveryHop | guarantee.NothingInternal, Expect: "The egress gateway's identity and the agreed names are all that leaves west", Run: wire},
		Case{Name: "leaks/wire-wrong-server", Guarantees: guarantee.TLSOnEveryHop | guarantee.NothingInternal, Expect: "The egress gateway of west sends nothing to a server with another identity than the peer's", Run: wireWrongServer},
		Case{Name: "leaks/answer-headers", Guarantees: guarantee.NothingInternal, Expect: "An answer has the backend's own headers only, without banners and proxy headers", Run: answerHeaders},
		Case{Name: "leaks/answer-forged", Guarantees: guarantee.NothingInternal, Expect: "The gateways remove proxy headers that the backend itself sends", Run: answerForged},
		Case{Name: "leaks/answer-own-words", Guarantees: guarantee.NothingInternal, Expect: "Known risk: an application's own redirect crosses unchanged, with its internal name", Run: answerOwnWords},
		Case{Name: "leaks/answer-refusals", Guarantees: guarantee.NothingInternal, Expect: "The gateways' answers 400, 403 and 431 reveal no name and no address", Run: refusalsTellNothing},
		Case{Name: "leaks/answer-backend-gone", Guarantees: guarantee.NothingInternal, Expect: "The gateway's answer 503 for a backend without pods reveals no name and no address", Run: backendGone},
		Case{Name: "leaks/answer-backend-unsafe", Guarantees: guarantee.NothingInternal, Expect: "The gateway's answers for a backend whose TLS fails reveal no name and no address", Run: backendUnsafe},
		Case{Name: "leaks/certificate", Guarantees: guarantee.NothingInternal, Expect: "The ingress gateway's certificate contains its SPIFFE ID and no other name", Run: certificateTells},
		Case{Name: "leaks/bystander", Guarantees: guarantee.NothingInternal, Expect: "A workload of west without a binding receives no configuration of the peer or the egress gateway", Run: bystander},
		Case{Name: "leaks/trust-stays", Guarantees: guarantee.ServerPerPeer, Expect: "Only the boundary gateways have the peer's CA", Run: trustStays},
		Case{Name: "leaks/no-secrets", Guarantees: guarantee.NoPrivateKeys, Expect: "No mesh has a Secret of the boundary, and its ConfigMaps contain no private key", Run: noSecrets},
		Case{Name: "leaks/no-tokens", Guarantees: guarantee.NoPrivateKeys, Expect: "Gateway pods have no token for the API server", Run: noTokens},
	)
}

// internalText must not appear outside of west: addresses of pods and Services, identities, local names.
var internalText = regexp.MustCompile(`10\.244\.|10\.96\.|198\.18\.|127\.0\.0|spiffe|cluster\.local|\.svc|bookinfo|productpage|istio-federation|federation-(in|e)gress|egress\.fed|istiod|reviews-[0-9a-f]`)

// sameNames compares the names of headers with those that may be there and must.
func sameNames(t *T, what string, headers [][2]string, lists ...[]string) {
	wanted := slices.Concat(lists...)
	var got []string
	for _, h := range headers {
		got = append(got, h[0])
	}
	slices.Sort(wanted)
	slices.Sort(got)
	if !slices.Equal(got, wanted) {
		t.Errorf("%s has the headers %s, and not %s", what, strings.Join(got, " "), strings.Join(wanted, " "))
	}
}

// eastsOwn are the headers that east's proxies set: the peer's public address and its gateway's identity, which east
// needs.
func eastsOwn(t *T, seen *traffic.Seen) {
	for name, want := range map[string]string{"x-federation-peer": "west", "x-forwarded-for": westAddress} {
		if got := Header(seen.Header, name); !outcome.Matches(got, want) {
			t.Errorf("%s is %q, and not %s", name, got, want)
		}
	}
	certificate := Header(seen.Header, "x-forwarded-client-cert")
	if !strings.Contains(certificate, "spiffe://east.example/ns/istio-federation/sa/federation-ingress") || strings.Contains(certificate, Forgery) {
		t.Errorf("x-forwarded-client-cert is %q", certificate)
	}
	for _, h := range seen.Header {
		if h[0] != "x-forwarded-client-cert" && h[0] != "x-forwarded-for" && internalText.MatchString(strings.ReplaceAll(h[1], Forgery, "")) {
			t.Errorf("%s reveals %q", h[0], h[1])
		}
		if strings.Contains(h[1], "productpage") || strings.Contains(h[1], "ns/default/sa/bookinfo-productpage") {
			t.Errorf("%s reveals west's workload: %q", h[0], h[1])
		}
	}
}

func backendPlain(t *T) {
	seen := SeenBy(t, t.Try(Productpage, Reviews("/reviews/0"))[0])
	sameNames(t, "the request", seen.Header, FromClient, FromEgress, FromIngress)
	eastsOwn(t, seen)
	t.Logf("%d headers; x-forwarded-for %s, x-federation-peer %s", len(seen.Header), Header(seen.Header, "x-forwarded-for"), Header(seen.Header, "x-federation-peer"))
	t.Logf("x-forwarded-client-cert %s", Header(seen.Header, "x-forwarded-client-cert"))
}

func backendForged(t *T) {
	headers := ForgedHeaders(t.Federation)
	seen := SeenByAll(t, t.Try(Productpage, WithForgedHeaders(Reviews("/reviews/0"), headers))[0])
	sameNames(t, "the request", seen.Header, FromClient, FromEgress, FromIngress, OwnWords)
	eastsOwn(t, seen)
	t.Logf("%d sent, %d of the application's own arrived", len(headers), len(seen.Header)-len(FromClient)-len(FromEgress)-len(FromIngress))
}

func backendPeerForges(t *T) {
	headers := append(ForgedHeaders(t.Federation), [2]string{"x-forwarded-proto", "http"}, [2]string{"x-request-id", "chosen-by-the-peer"})
	seen := SeenByAll(t, t.Try(Outside, WithForgedHeaders(ToIngress(GenuineWest)(t.Federation), headers))[0])
	sameNames(t, "the request", seen.Header, FromClient, FromEgress, FromIngress, OwnWords, ReplacedByIstio)
	for name, want := range map[string]string{"x-forwarded-for": "203.0.113.66", "x-federation-peer": "west", "x-forwarded-proto": "https"} {
		if got := Header(seen.Header, name); got != want {
			t.Errorf("%s is %q, and not %s", name, got, want)
		}
	}
	if got := Header(seen.Header, "x-forwarded-client-cert"); strings.Contains(got, Forgery) {
		t.Errorf("x-forwarded-client-cert is %q", got)
	}
	t.Logf("%d sent; x-forwarded-for %s, x-forwarded-proto %s, x-request-id %s", len(headers), Header(seen.Header, "x-forwarded-for"),
		Header(seen.Header, "x-forwarded-proto"), Header(seen.Header, "x-request-id"))
}

// requestIDs follows one request through the logs of all proxies on its way.
func requestIDs(t *T) {
	const sent = "11111111-2222-4333-8444-555555555555"
	target := "/reviews/" + strings.ToLower(rand.Text())
	call := Reviews(target)
	call.Header = [][2]string{{"x-request-id", sent}}
	arrived := Header(SeenBy(t, t.Try(Productpage, call)[0]).Header, "x-request-id")
	caller, egress, ingress := loggedID(t, t.West, "default/productpage", target), loggedID(t, t.West, GatewayOf("west"), target), loggedID(t, t.East, GatewayOf("east"), target)
	t.Logf("caller %.8s, egress gateway %.8s, ingress gateway %.8s, backend %.8s", caller, egress, ingress, arrived)
	if caller != sent || egress == caller || ingress == egress || arrived != ingress {
		t.Errorf("the ids are %s, %s, %s and %s", caller, egress, ingress, arrived)
	}
}

var requestID = regexp.MustCompile(`"([0-9a-f]{8}-[0-9a-f-]{27})"`)

// loggedID is the id of the request for a path in the access log of a proxy, which is written with some delay.
func loggedID(t *T, m *mesh.Mesh, workload, path string) (id string) {
	pod, err := m.Pod(t.Context(), workload)
	t.Must(err)
	t.Must(mesh.Wait(t.Context(), 15*time.Second, func() error {
		log, err := m.Logs(t.Context(), pod, "istio-proxy")
		if err != nil {
			return err
		}
		for _, line := range strings.Split(log, "\n") {
			if found := requestID.FindStringSubmatch(line); found != nil && strings.Contains(line, path) {
				id = found[1]
				return nil
			}
		}
		return fmt.Errorf("%s has not logged %s", workload, path)
	}))
	return id
}

func webSocketPasses(t *T) {
	answer := t.Try(Productpage, traffic.Probe{Kind: "websocket", URL: "ws://reviews:9080/reviews/live", Body: "hello"})[0]
	t.Logf("%s, %q", answer.Outcome(), answer.Body)
	if answer.Outcome() != "101" || !strings.HasSuffix(answer.Body, "hello") {
		t.Errorf("%s%s", answer.Outcome(), Detail(answer))
	}
}

// asPeer is the answer that the peer's egress gateway receives: the caller's own sidecar adds headers of its own.
func asPeer(t *T, change ...func(*traffic.Probe)) traffic.Answer {
	return t.Try(Outside, ToIngress(GenuineWest, change...)(t.Federation))[0]
}

func answerHeaders(t *T) {
	answer := asPeer(t)
	sameNames(t, "the answer", answer.Header, []string{"content-length", "content-type", "date"})
	t.Logf("%v", answer.Header)
}

func answerForged(t *T) {
	names := []string{"server", "via", "x-powered-by", "x-envoy-decorator-operation", "x-envoy-original-dst-host", "x-envoy-peer-metadata", "x-envoy-peer-metadata-id",
		"x-envoy-upstream-canary", "x-envoy-upstream-service-time"}
	answer := asPeer(t, WithPath("/reviews/0?bytes=2&header=x-app:1&header="+strings.Join(names, ":"+Forgery+"&header=")+":"+Forgery))
	sameNames(t, "the answer", answer.Header, []string{"content-length", "content-type", "date", "x-app"})
	t.Logf("%d sent by the backend, none arrived but the application's own", len(names))
}

func answerOwnWords(t *T) {
	answer := asPeer(t, WithPath("/reviews/0?redirect=/reviews/1"))
	sameNames(t, "the answer", answer.Header, []string{"content-length", "content-type", "date", "location"})
	t.Logf("location: %s", Header(answer.Header, "location"))
	if !strings.Contains(Header(answer.Header, "location"), ReviewsHost) {
		t.Errorf("location is %q, which differs from the documentation", Header(answer.Header, "location"))
	}
}

// tellsNothing checks an answer of the gateway itself for internal names.
func tellsNothing(t *T, want string, answer traffic.Answer) {
	t.Logf("%s %q", answer.Outcome(), answer.Body)
	if !outcome.Matches(answer.Outcome(), want) {
		t.Errorf("%s, and not %s", answer.Outcome(), want)
	}
	for _, h := range append(answer.Header, [2]string{"body", answer.Body}) {
		if internalText.MatchString(h[1]) {
			t.Errorf("%s reveals %q", h[0], h[1])
		}
		if !slices.Contains([]string{"content-length", "content-type", "date", "body", "connection"}, h[0]) {
			t.Errorf("%s has the header %s: %s", answer.Outcome(), h[0], h[1])
		}
	}
}

func refusalsTellNothing(t *T) {
	tellsNothing(t, "400", asPeer(t, WithPath("/reviews/%2fadmin")))
	tellsNothing(t, "403", asPeer(t, WithPath("/admin")))
	tellsNothing(t, "403", asPeer(t, func(p *traffic.Probe) { p.Method = "DELETE" }))
	tellsNothing(t, "403", asPeer(t, WithHost("nobody.example")))
	tellsNothing(t, "400", asPeer(t, func(p *traffic.Probe) { p.Header = [][2]string{{"Content-Length", "x"}} }))
	tellsNothing(t, "431", asPeer(t, func(p *traffic.Probe) { p.Header = [][2]string{{"x-long", strings.Repeat("x", 100_000)}} }))
}

func certificateTells(t *T) {
	answer := asPeer(t)
	leaf := ParseChain(answer.Certificates)[0]
	onlyIdentity(t, leaf, IngressID)
	t.Logf("%v, subject %q, %d certificates, TLS %s", leaf.URIs, leaf.Subject, strings.Count(answer.Certificates, "BEGIN"), answer.TLSVersion)
}
