package cases

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// westAddress is where west's requests come from, as east sees it: its node hides the pods behind its own address.
const westAddress = "198.18.*"

// standIn takes the place of east's ingress gateway and writes down what comes.
type standIn struct {
	sync.Mutex
	seen   []traffic.Seen
	states []tls.ConnectionState
	offers [][]string // ALPN
}

// standInForEast shows a certificate with this identity, of east's own CA, and is where west finds east for as long as the case runs.
func standInForEast(t *T, id string) *standIn {
	leaf, err := issue(t.Federation, "east", pki.Request{SpiffeID: id})
	t.Must(err)
	pair, err := tls.X509KeyPair([]byte(leaf.Cert), []byte(leaf.Key))
	t.Must(err)
	s := &standIn{}
	config := &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			s.Lock()
			defer s.Unlock()
			s.offers = append(s.offers, hello.SupportedProtos)
			return nil, nil
		},
		VerifyConnection: func(state tls.ConnectionState) error {
			s.Lock()
			defer s.Unlock()
			s.states = append(s.states, state)
			return nil
		},
	}
	// The computer's own end of the line to the lab: the packets of west's node go the way that they go to a peer.
	ctx, stop := context.WithCancel(t.Context())
	t.Restore(func(context.Context) error { stop(); return nil })
	address := t.Lab.Here()
	_, err = traffic.Capture(ctx, address+":15443", config, func(seen traffic.Seen) {
		s.Lock()
		defer s.Unlock()
		s.seen = append(s.seen, seen)
	})
	t.Must(err)
	t.Restore(func(ctx context.Context) error {
		return mesh.Wait(ctx, 20*time.Second, func() error { // the stand-in answers, too, and by another name
			answers, err := probe(ctx, t.Federation, productpage, reviews("/reviews/0"))
			if err == nil && (answers[0].Seen == nil || !strings.HasPrefix(answers[0].Seen.Pod, "reviews-")) {
				err = fmt.Errorf("west does not find east again: %s", answers[0].Outcome())
			}
			return err
		})
	})
	t.changeObject(t.West, t.manifest(t.West, "ServiceEntry", "fed-out-reviews-9080-east"), func(entry map[string]any) {
		t.Must(unstructured.SetNestedSlice(entry, []any{map[string]any{"address": address}}, "spec", "endpoints"))
	})
	return s
}

// of the stand-in: the request that came for a path.
func (s *standIn) request(path string) (traffic.Seen, bool) {
	s.Lock()
	defer s.Unlock()
	i := slices.IndexFunc(s.seen, func(seen traffic.Seen) bool { return seen.Path == path })
	if i < 0 {
		return traffic.Seen{}, false
	}
	return s.seen[i], true
}

func (s *standIn) connections() ([]tls.ConnectionState, [][]string) {
	s.Lock()
	defer s.Unlock()
	return slices.Clone(s.states), slices.Clone(s.offers)
}

// sends lets productpage call, and returns what arrives.
func (s *standIn) sends(t *T, call traffic.Probe) traffic.Seen {
	t.Try(productpage, call)
	_, path, _ := strings.Cut(call.URL, ":9080")
	seen, found := s.request(path)
	if !found {
		t.Must(fmt.Errorf("nothing arrived for %s", path))
	}
	return seen
}

func wire(t *T) {
	s := standInForEast(t, ingressID)
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		t.Try(productpage, reviews("/reviews/first"))
		if _, found := s.request("/reviews/first"); !found {
			return fmt.Errorf("nothing arrives at the stand-in")
		}
		return nil
	}))
	plain := s.sends(t, reviews("/reviews/plain"))
	onWire(t, "a plain request", plain, fromClient, fromEgress)
	t.Logf("plain: Host %s, %v", plain.Host, plain.Header)

	headers := forgedHeaders(t.Federation)
	for i, part := range atOnce(headers) {
		forged := reviews(fmt.Sprintf("/reviews/forged-%d", i))
		forged.Header = part
		crossing := slices.DeleteFunc(slices.Concat(ownWords, methods), func(name string) bool { return header(part, name) == "" })
		onWire(t, "a request with forged headers", s.sends(t, forged), fromClient, fromEgress, crossing)
	}
	t.Logf("%d headers forged: %d own words of the application crossed", len(headers), len(ownWords)+len(methods))

	upgrade := s.sends(t, traffic.Probe{Kind: "websocket", URL: "ws://reviews:9080/reviews/live"})
	onWire(t, "an upgrade", upgrade, fromClient, fromEgress, []string{":protocol", "sec-websocket-key", "sec-websocket-version"})

	s.handshakes(t)
}

// onWire looks at one request as a peer sees it.
func onWire(t *T, what string, seen traffic.Seen, lists ...[]string) {
	sameNames(t, what, seen.Header, lists...)
	if seen.Host != reviewsSNI || seen.ServerName != reviewsSNI || seen.Proto != "HTTP/2.0" {
		t.Errorf("%s has Host %s, server name %s, %s", what, seen.Host, seen.ServerName, seen.Proto)
	}
	if found := internalText.FindString(strings.ReplaceAll(seen.Raw, forgery, "")); found != "" {
		t.Errorf("%s tells %s: %q", what, found, seen.Raw)
	}
}

// handshakes looks at all connections that came.
func (s *standIn) handshakes(t *T) {
	states, offers := s.connections()
	for i, state := range states {
		if state.Version != tls.VersionTLS13 || state.ServerName != reviewsSNI || len(state.PeerCertificates) == 0 {
			t.Errorf("a connection with version %x, server name %s, %d certificates", state.Version, state.ServerName, len(state.PeerCertificates))
			continue
		}
		onlyIdentity(t, state.PeerCertificates[0], egressID)
		if i == 0 {
			var rest []string
			for _, c := range state.PeerCertificates[1:] {
				rest = append(rest, c.Subject.String())
			}
			t.Logf("TLS 1.3, %s, ALPN %v, then %v", egressID, offers[0], rest)
		}
	}
	for _, offer := range offers {
		if slices.Contains(offer, "istio") || slices.ContainsFunc(offer, func(p string) bool { return strings.HasPrefix(p, "istio-") }) {
			t.Errorf("west offers the protocols %v", offer)
		}
	}
}

// onlyIdentity wants a certificate that holds this identity and no other name.
func onlyIdentity(t *T, leaf *x509.Certificate, id string) {
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != id || len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.EmailAddresses) > 0 || leaf.Subject.CommonName != "" {
		t.Errorf("the certificate names %v %v %v %v %s", leaf.URIs, leaf.DNSNames, leaf.IPAddresses, leaf.EmailAddresses, leaf.Subject)
	}
}

// wireWrongServer shows east's workload instead of its gateway: the handshake ends before a request.
func wireWrongServer(t *T) {
	s := standInForEast(t, "spiffe://east.example/ns/default/sa/bookinfo-reviews")
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		t.Try(productpage, reviews("/reviews/0"))
		if _, offers := s.connections(); len(offers) == 0 {
			return fmt.Errorf("nobody comes to the stand-in")
		}
		return nil
	}))
	answer := t.Try(productpage, reviews("/reviews/0"))[0]
	t.Logf("the caller gets %s %q", answer.Outcome(), answer.Body)
	if answer.Outcome() != "503" {
		t.Errorf("the caller gets %s", answer.Outcome())
	}
	if _, found := s.request("/reviews/0"); found {
		t.Errorf("the request was sent to a server with another identity")
	}
}

// backendGone takes the pods of the exposed Service away.
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
		return waitUntil(ctx, t.Federation, outside, "200", toIngress(genuineWest)(t.Federation))
	})
	t.Must(scale(t.Context(), "0"))
	t.Until(outside, "503", toIngress(genuineWest)(t.Federation))
	tellsNothing(t, "503", asPeer(t))
}

// backendUnsafe lets the owner of the backend make a mistake with its TLS, of two kinds: proxies tell in the body why a connection failed.
func backendUnsafe(t *T) {
	for _, mistake := range []string{"{mode: DISABLE}", "{mode: ISTIO_MUTUAL, subjectAltNames: [\"spiffe://east.example/ns/default/sa/nobody\"]}"} {
		withObjects(t, t.East, `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: mistake, namespace: default}
spec: {host: `+reviewsHost+`, trafficPolicy: {tls: `+mistake+`}}
`, func() {
			t.Until(outside, "503", toIngress(genuineWest)(t.Federation))
			tellsNothing(t, "503", asPeer(t))
		})
		t.Until(outside, "200", toIngress(genuineWest)(t.Federation))
	}
}
