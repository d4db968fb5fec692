package leaks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// westAddress is where west's requests come from, as east sees it: its node hides the pods behind its own address.
const westAddress = "198.18.*"

func wire(t *T) {
	s := StandInForEast(t, IngressID)
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		t.Try(Productpage, Reviews("/reviews/first"))
		if _, found := s.Request("/reviews/first"); !found {
			return fmt.Errorf("nothing arrives at the stand-in")
		}
		return nil
	}))
	plain := s.Sends(t, Reviews("/reviews/plain"))
	onWire(t, "a plain request", plain, FromClient, FromEgress)
	t.Logf("plain: Host %s, %v", plain.Host, plain.Header)

	headers := ForgedHeaders(t.Federation)
	for i, part := range AtOnce(headers) {
		forged := Reviews(fmt.Sprintf("/reviews/forged-%d", i))
		forged.Header = part
		crossing := slices.DeleteFunc(slices.Concat(OwnWords, Methods), func(name string) bool { return Header(part, name) == "" })
		onWire(t, "a request with forged headers", s.Sends(t, forged), FromClient, FromEgress, crossing)
	}
	t.Logf("%d headers forged: %d of the application's own crossed", len(headers), len(OwnWords)+len(Methods))

	upgrade := s.Sends(t, traffic.Probe{Kind: "websocket", URL: "ws://reviews:9080/reviews/live"})
	onWire(t, "an upgrade", upgrade, FromClient, FromEgress, []string{":protocol", "sec-websocket-key", "sec-websocket-version"})

	checkHandshakes(t, s)
}

// onWire checks one request as a peer receives it.
func onWire(t *T, what string, seen traffic.Seen, lists ...[]string) {
	sameNames(t, what, seen.Header, lists...)
	if seen.Host != ReviewsSNI || seen.ServerName != ReviewsSNI || seen.Proto != "HTTP/2.0" {
		t.Errorf("%s has Host %s, SNI %s, %s", what, seen.Host, seen.ServerName, seen.Proto)
	}
	if found := internalText.FindString(strings.ReplaceAll(seen.Raw, Forgery, "")); found != "" {
		t.Errorf("%s reveals %s: %q", what, found, seen.Raw)
	}
}

// checkHandshakes checks all connections that arrived.
func checkHandshakes(t *T, s *StandIn) {
	states, offers := s.Connections()
	for i, state := range states {
		if state.Version != tls.VersionTLS13 || state.ServerName != ReviewsSNI || len(state.PeerCertificates) == 0 {
			t.Errorf("a connection with version %x, SNI %s, %d certificates", state.Version, state.ServerName, len(state.PeerCertificates))
			continue
		}
		onlyIdentity(t, state.PeerCertificates[0], EgressID)
		if i == 0 {
			var rest []string
			for _, c := range state.PeerCertificates[1:] {
				rest = append(rest, c.Subject.String())
			}
			t.Logf("TLS 1.3, %s, ALPN %v, then %v", EgressID, offers[0], rest)
		}
	}
	for _, offer := range offers {
		if slices.Contains(offer, "istio") || slices.ContainsFunc(offer, func(p string) bool { return strings.HasPrefix(p, "istio-") }) {
			t.Errorf("west offers the protocols %v", offer)
		}
	}
}

// onlyIdentity checks that a certificate contains this identity and no other name.
func onlyIdentity(t *T, leaf *x509.Certificate, id string) {
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != id || len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.EmailAddresses) > 0 || leaf.Subject.CommonName != "" {
		t.Errorf("the certificate names %v %v %v %v %s", leaf.URIs, leaf.DNSNames, leaf.IPAddresses, leaf.EmailAddresses, leaf.Subject)
	}
}

// wireWrongServer presents east's workload instead of its gateway: the handshake ends before a request.
func wireWrongServer(t *T) {
	s := StandInForEast(t, "spiffe://east.example/ns/default/sa/bookinfo-reviews")
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		t.Try(Productpage, Reviews("/reviews/0"))
		if _, offers := s.Connections(); len(offers) == 0 {
			return fmt.Errorf("no connection reaches the stand-in")
		}
		return nil
	}))
	answer := t.Try(Productpage, Reviews("/reviews/0"))[0]
	t.Logf("the caller gets %s %q", answer.Outcome(), answer.Body)
	if answer.Outcome() != "503" {
		t.Errorf("the caller gets %s", answer.Outcome())
	}
	if _, found := s.Request("/reviews/0"); found {
		t.Errorf("the request was sent to a server with another identity")
	}
}

// backendGone removes the pods of the exported Service.
func backendGone(t *T) {
	scale := func(ctx context.Context, replicas string) error {
		_, err := t.East.Kubectl(ctx, "", "-n", "default", "scale", "deployment/reviews", "--replicas="+replicas)
		return err
	}
	t.Restore(func(ctx context.Context) error {
		if err := scale(ctx, "1"); err != nil {
			return err
		}
		if err := t.East.Ready(ctx, "default"); err != nil {
			return err
		}
		return WaitUntil(ctx, t.Federation, Outside, "200", ToIngress(GenuineWest)(t.Federation))
	})
	t.Must(scale(t.Context(), "0"))
	t.Until(Outside, "503", ToIngress(GenuineWest)(t.Federation))
	tellsNothing(t, "503", asPeer(t))
}

// backendUnsafe breaks the backend's TLS in two ways: proxies describe in the body why a connection failed.
func backendUnsafe(t *T) {
	for _, tls := range []string{"{mode: DISABLE}", "{mode: ISTIO_MUTUAL, subjectAltNames: [\"spiffe://east.example/ns/default/sa/nobody\"]}"} {
		WithObjects(t, t.East, `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: wrong-tls, namespace: default}
spec: {host: `+ReviewsHost+`, trafficPolicy: {tls: `+tls+`}}
`, func() {
			t.Until(Outside, "503", ToIngress(GenuineWest)(t.Federation))
			tellsNothing(t, "503", asPeer(t))
		})
		t.Until(Outside, "200", ToIngress(GenuineWest)(t.Federation))
	}
}
