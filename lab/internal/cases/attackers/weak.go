package attackers

import (
	"fmt"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// WeakCertificates are known risks: certificates that a peer's CA should not issue, and information that external
// attackers learn.
func WeakCertificates() []Case {
	issued := func(name, what string, request pki.Request, want string) Case {
		request.SpiffeID = EgressID
		return Ask("external/risk-"+name, guarantee.ServerPerPeer, "Known risk: Envoy accepts "+what, Outside, ToIngress(MeshCA("west", request)), want)
	}
	return InScenario("two-meshes-http",
		issued("rsa-1024", "a certificate with a 1,024-bit RSA key", pki.Request{RSA: 1024}, "200"),
		issued("sha-1", "a certificate that the peer's CA has signed with SHA-1", pki.Request{SHA1: true}, "200"),
		Ask("external/risk-sha-1-intermediate", guarantee.ServerPerPeer, "Known risk: Envoy accepts an intermediate CA whose certificate is signed with SHA-1", Outside, ToIngress(belowWeak), "200"),
		issued("leaf-is-ca", "a client certificate that is a CA", pki.Request{CA: true}, "200"),
		issued("two-identities", "a second SPIFFE ID beside the granted one", pki.Request{Also: []string{"spiffe://west.example/ns/default/sa/other"}}, "200"),
		Case{Name: "external/resumed-after-expiry", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway resumes no TLS session, so no session outlives the client's certificate", Run: resumedAfterExpiry},
		Case{Name: "external/risk-names-shown", Guarantees: guarantee.NothingInternal, Expect: "Known risk: without a certificate, an external attacker sees the gateway's SPIFFE ID for granted SNIs only", Run: namesShown},
	)
}

// belowWeak is a certificate of an intermediate CA whose own certificate is signed with SHA-1.
var belowWeak = IssuedBy(func(f *federation.Federation) (*pki.Authority, error) {
	root, err := OwnCA(f, "west")
	if err != nil {
		return nil, err
	}
	return root.WeakIntermediate("west intermediate")
}, pki.Request{SpiffeID: EgressID})

func resumedAfterExpiry(t *T) {
	const life = 5 * time.Second
	p := ToIngress(MeshCA("west", pki.Request{SpiffeID: EgressID, NotAfter: time.Now().Add(life)}))(t.Federation)
	again := p
	first := *p.TLS
	p.TLS.ResumeFrom, p.TLS.ResumeAfter, p.Timeout = &first, life+2*time.Second, life+10*time.Second
	resumed := t.Try(Outside, p)[0]
	again.TLS = &first
	anew := t.Try(Outside, again)[0]
	t.Logf("%s after the expiry: resumed %t, %s; with a new handshake %s", 2*time.Second, resumed.Resumed, resumed.Outcome(), anew.Outcome())
	for _, answer := range []traffic.Answer{resumed, anew} {
		if answer.Resumed || answer.Outcome() != "alert: expired certificate" {
			t.Errorf("resumed %t: %s%s", answer.Resumed, answer.Outcome(), Detail(answer))
		}
	}
}

func namesShown(t *T) {
	shown := func(name string) (traffic.Answer, string) {
		answer := t.Try(Outside, ToIngress(NoCertificate, WithSNI(name))(t.Federation))[0]
		if answer.Certificates == "" {
			return answer, ""
		}
		if leaf := ParseChain(answer.Certificates)[0]; len(leaf.URIs) > 0 {
			return answer, leaf.URIs[0].String()
		}
		return answer, "a certificate without an identity"
	}
	granted, identity := shown(ReviewsSNI)
	other, nothing := shown("p9080.ratings.west.fed.east.example")
	t.Logf("for a granted name %s and %q; for another one %s and %q", granted.Outcome(), identity, other.Outcome(), nothing)
	if identity != IngressID || nothing != "" {
		t.Errorf("shown: %s", fmt.Sprint(identity, " ", nothing))
	}
}
