package cases

import (
	"context"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Who tries.
var (
	productpage    = From{"west", "default/productpage"} // the caller that the article's scenario allows
	otherAccount   = From{"west", "default/other"}       // a neighbour of it with another service account
	otherNamespace = From{"west", "elsewhere/visitor"}   // lives in a namespace without callers
	noSidecar      = From{"west", "plain/plain"}         // has no sidecar
	outside        = From{}                              // belongs to no mesh
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

// request is a request by another method.
func request(method, url string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe { return traffic.Probe{URL: url, Method: method} }
}

// reviews is the call that must work in the article's scenario, by its local name.
func reviews(path string) traffic.Probe { return traffic.Probe{URL: "http://reviews:9080" + path} }

// issue makes a certificate with a mesh's own CA, as somebody could who took over all of that mesh.
func issue(f *federation.Federation, meshName string, request pki.Request) (pki.Leaf, error) {
	ctx, cancel := patience.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	authority, err := f.Mesh(meshName).Authority(ctx) // read each time: cases replace it
	if err != nil {
		return pki.Leaf{}, err
	}
	return authority.Issue(request)
}

// certificateSource is where a stranger's certificate comes from; it panics, since Play reports that as a failure of the case.
type certificateSource func(*federation.Federation) pki.Leaf

// meshCA a mesh's own CA.
func meshCA(meshName string, request pki.Request) certificateSource {
	return func(f *federation.Federation) pki.Leaf {
		leaf, err := issue(f, meshName, request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// foreignCA by a CA that nobody knows.
func foreignCA(request pki.Request) certificateSource {
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
func selfSigned(request pki.Request) certificateSource {
	return func(*federation.Federation) pki.Leaf {
		leaf, err := pki.SelfSigned(request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// noCertificate shows no certificate.
func noCertificate(*federation.Federation) pki.Leaf { return pki.Leaf{} }

// toIngress is a request to east's ingress gateway past any egress gateway: the TLS is the stranger's own. change adjusts it.
func toIngress(shown certificateSource, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
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

// genuineWest is what west's egress gateway shows.
var genuineWest = meshCA("west", pki.Request{SpiffeID: egressID})

func withSNI(name string) func(*traffic.Probe) {
	return func(p *traffic.Probe) { p.TLS.ServerName = name }
}

func withHost(name string) func(*traffic.Probe) { return func(p *traffic.Probe) { p.Host = name } }

func withPath(target string) func(*traffic.Probe) {
	return func(p *traffic.Probe) { p.URL = "https://" + reviewsSNI + target }
}

// rounded is a duration as people read it.
func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
