package testbed

import (
	"context"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// CertificateSource creates the client certificate of a probe. It panics on errors, which fails the case.
type CertificateSource func(*federation.Federation) pki.Leaf

// IssuedBy issues a certificate with a CA that is looked up for each probe: cases replace CAs.
func IssuedBy(authority func(*federation.Federation) (*pki.Authority, error), request pki.Request) CertificateSource {
	return func(f *federation.Federation) pki.Leaf {
		found, err := authority(f)
		if err != nil {
			panic(err)
		}
		leaf, err := found.Issue(request)
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// MeshCA issues a certificate with a mesh's own CA, as an attacker could who controls all of that mesh.
func MeshCA(meshName string, request pki.Request) CertificateSource {
	return IssuedBy(func(f *federation.Federation) (*pki.Authority, error) { return OwnCA(f, meshName) }, request)
}

// OwnCA is the CA of a mesh.
func OwnCA(f *federation.Federation, meshName string) (*pki.Authority, error) {
	ctx, cancel := patience.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return f.Mesh(meshName).Authority(ctx)
}

// ForeignCA issues a certificate with a CA that no mesh trusts.
func ForeignCA(request pki.Request) CertificateSource {
	return IssuedBy(func(*federation.Federation) (*pki.Authority, error) { return pki.New("foreign") }, request)
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
	return IssuedBy(func(f *federation.Federation) (*pki.Authority, error) { return f.Authority(name) }, pki.Request{SpiffeID: spiffeID})
}
