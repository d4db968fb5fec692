package testbed

import (
	"context"
	"crypto/tls"
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

// StandIn takes the place of east's ingress gateway and records what arrives.
type StandIn struct {
	sync.Mutex
	seen   []traffic.Seen
	states []tls.ConnectionState
	offers [][]string // ALPN
}

// StandInForEast presents a certificate with this identity, of east's own CA. West sends its calls there for as long as
// the case runs.
func StandInForEast(t *T, id string) *StandIn {
	leaf := MeshCA("east", pki.Request{SpiffeID: id})(t.Federation)
	pair, err := tls.X509KeyPair([]byte(leaf.Cert), []byte(leaf.Key))
	t.Must(err)
	s := &StandIn{}
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
		return mesh.Wait(ctx, 20*time.Second, func() error { // the stand-in answers as well, with another name
			answers, err := Probe(ctx, t.Federation, Productpage, Reviews("/reviews/0"))
			if err == nil && (answers[0].Seen == nil || !strings.HasPrefix(answers[0].Seen.Pod, "reviews-")) {
				err = fmt.Errorf("west does not find east again: %s", answers[0].Outcome())
			}
			return err
		})
	})
	t.ChangeObject(t.West, t.Manifest(t.West, "ServiceEntry", "fed-out-reviews-9080-east"), func(entry map[string]any) {
		t.Must(unstructured.SetNestedSlice(entry, []any{map[string]any{"address": address}}, "spec", "endpoints"))
	})
	return s
}

// Request returns the request that arrived for a path.
func (s *StandIn) Request(path string) (traffic.Seen, bool) {
	s.Lock()
	defer s.Unlock()
	i := slices.IndexFunc(s.seen, func(seen traffic.Seen) bool { return seen.Path == path })
	if i < 0 {
		return traffic.Seen{}, false
	}
	return s.seen[i], true
}

func (s *StandIn) Connections() ([]tls.ConnectionState, [][]string) {
	s.Lock()
	defer s.Unlock()
	return slices.Clone(s.states), slices.Clone(s.offers)
}

// Sends runs a call of productpage, and returns the request that arrives.
func (s *StandIn) Sends(t *T, call traffic.Probe) traffic.Seen {
	t.Try(Productpage, call)
	_, path, _ := strings.Cut(call.URL, ":9080")
	seen, found := s.Request(path)
	if !found {
		t.Must(fmt.Errorf("nothing arrived for %s", path))
	}
	return seen
}
