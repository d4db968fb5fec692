package testbed

import (
	"context"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

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

// CertificateSource is where a stranger's certificate comes from; it panics, since Play reports that as a failure of the case.
type CertificateSource func(*federation.Federation) pki.Leaf

// MeshCA a mesh's own CA.
func MeshCA(meshName string, request pki.Request) CertificateSource {
	return func(f *federation.Federation) pki.Leaf {
		leaf, err := issue(f, meshName, request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// ForeignCA by a CA that nobody knows.
func ForeignCA(request pki.Request) CertificateSource {
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

// SelfSigned is a certificate that is its own CA.
func SelfSigned(request pki.Request) CertificateSource {
	return func(*federation.Federation) pki.Leaf {
		leaf, err := pki.SelfSigned(request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// NoCertificate presents none.
func NoCertificate(*federation.Federation) pki.Leaf { return pki.Leaf{} }

// GenuineWest is what west's egress gateway presents.
var GenuineWest = MeshCA("west", pki.Request{SpiffeID: EgressID})

// GenuineNorth is what north's egress gateway presents.
var GenuineNorth = MeshCA("north", pki.Request{SpiffeID: "spiffe://north.example/ns/istio-federation/sa/federation-egress"})

// ByBoundary is what the authority of a boundary issues.
func ByBoundary(name, spiffeID string) CertificateSource {
	return func(f *federation.Federation) pki.Leaf {
		authority, err := f.Authority(name)
		if err != nil {
			panic(err)
		}
		leaf, err := authority.Issue(pki.Request{SpiffeID: spiffeID})
		if err != nil {
			panic(err)
		}
		return leaf
	}
}
