package cases

import (
	"context"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Who tries.
var (
	productpage = From{"west", "default/productpage"} // the caller that the article's scenario allows
	other       = From{"west", "default/other"}       // a neighbour of it with another service account
	visitor     = From{"west", "elsewhere/visitor"}   // lives in a namespace without callers
	plain       = From{"west", "plain/plain"}         // has no sidecar
	outside     = From{}                              // belongs to no mesh
)

// What the article's scenario is called on the wire, and where.
const (
	reviewsSNI  = "p9080.reviews.west.fed.east.example"
	reviewsHost = "reviews.default.svc.cluster.local"
	egressHost  = "federation-egress.istio-federation.svc.cluster.local"
	bindingSNI  = "p9080.reviews.default.east.egress.fed.west.example"
	ingressID   = "spiffe://east.example/ns/istio-federation/sa/federation-ingress"
	egressID    = "spiffe://west.example/ns/istio-federation/sa/federation-egress"
	eastAddress = "203.0.113.20:15443"
)

// get is a plain request.
func get(url string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe { return traffic.Probe{URL: url} }
}

// send is a request by another method.
func send(method, url string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe { return traffic.Probe{URL: url, Method: method} }
}

// reviews is the call that must work in the article's scenario, by its local name.
func reviews(path string) traffic.Probe { return traffic.Probe{URL: "http://reviews:9080" + path} }

// issue makes a certificate with a mesh's own CA, as somebody could who took over all of that mesh.
func issue(f *federation.Federation, meshName string, request pki.Request) (pki.Leaf, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	authority, err := f.Mesh(meshName).Authority(ctx) // read each time: cases replace it
	if err != nil {
		return pki.Leaf{}, err
	}
	return authority.Issue(request)
}

// certificate is where a stranger's certificate comes from; it panics, since Play reports that as a failure of the case.
type certificate func(*federation.Federation) pki.Leaf

// of a mesh's own CA.
func of(meshName string, request pki.Request) certificate {
	return func(f *federation.Federation) pki.Leaf {
		leaf, err := issue(f, meshName, request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// forged by a CA that nobody knows.
func forged(request pki.Request) certificate {
	return func(*federation.Federation) pki.Leaf {
		authority, err := pki.New("foreign")
		if err != nil {
			panic(err)
		}
		leaf, err := authority.Issue(request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// selfSigned vouches for itself.
func selfSigned(request pki.Request) certificate {
	return func(*federation.Federation) pki.Leaf {
		leaf, err := pki.SelfSigned(request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// none shows no certificate.
func none(*federation.Federation) pki.Leaf { return pki.Leaf{} }

// toIngress is a request to east's ingress gateway past any egress gateway: the TLS is the stranger's own. change adjusts it.
func toIngress(shown certificate, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		leaf := shown(f)
		p := traffic.Probe{
			URL: "https://" + reviewsSNI + "/reviews/0", Dial: eastAddress,
			TLS: &traffic.TLS{ServerName: reviewsSNI, Cert: leaf.Cert, Key: leaf.Key},
		}
		for _, one := range change {
			one(&p)
		}
		return p
	}
}

// genuine is what west's egress gateway shows.
var genuine = of("west", pki.Request{SpiffeID: egressID})

func sni(name string) func(*traffic.Probe) {
	return func(p *traffic.Probe) { p.TLS.ServerName = name }
}

func host(name string) func(*traffic.Probe) { return func(p *traffic.Probe) { p.Host = name } }

func path(target string) func(*traffic.Probe) {
	return func(p *traffic.Probe) { p.URL = "https://" + reviewsSNI + target }
}

// round is a duration as people read it.
func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
