package testbed

import (
	"context"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// issue creates a certificate with a mesh's own CA, as an attacker could who controls all of that mesh.
func issue(f *federation.Federation, meshName string, request pki.Request) (pki.Leaf, error) {
	ctx, cancel := patience.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	authority, err := f.Mesh(meshName).Authority(ctx) // read each time: cases replace it
	if err != nil {
		return pki.Leaf{}, err
	}
	return authority.Issue(request)
}

// CertificateSource creates the client certificate of a probe. It panics on errors, which fails the case.
type CertificateSource func(*federation.Federation) pki.Leaf

// MeshCA issues a certificate with a mesh's own CA.
func MeshCA(meshName string, request pki.Request) CertificateSource {
	return func(f *federation.Federation) pki.Leaf {
		leaf, err := issue(f, meshName, request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// ForeignCA issues a certificate with a CA that no mesh trusts.
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

// SelfSigned creates a self-signed certificate.
func SelfSigned(request pki.Request) CertificateSource {
	return func(*federation.Federation) pki.Leaf {
		leaf, err := pki.SelfSigned(request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// NoCertificate presents no certificate.
func NoCertificate(*federation.Federation) pki.Leaf { return pki.Leaf{} }

// GenuineWest is the certificate that west's egress gateway presents.
var GenuineWest = MeshCA("west", pki.Request{SpiffeID: EgressID})

// GenuineNorth is the certificate that north's egress gateway presents.
var GenuineNorth = MeshCA("north", pki.Request{SpiffeID: "spiffe://north.example/ns/istio-federation/sa/federation-egress"})

// ByBoundary issues a certificate with the CA of a boundary.
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
