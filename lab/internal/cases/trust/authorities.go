package trust

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// SeparateAuthorities are cases with certificates that the meshes' own CAs do not issue.
func SeparateAuthorities() []Case {
	return InScenario("separate-authorities",
		Analyzed("separate-authorities"),
		Ask("trust/own-authorities", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "West calls east when each boundary has its own CA", Productpage, Get("http://reviews:9080/reviews/0"), "200"),
		Ask("trust/own-authorities-back", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "East calls west when each boundary has its own CA", Backend, Get(DetailsURL), "200"),
		Ask("trust/own-authorities-refuse", guarantee.ExplicitAccess|guarantee.EgressCallers, "The egress gateway rejects an unlisted workload when each boundary has its own CA", OtherAccount, Get("http://reviews:9080/reviews/0"), "503"),
		Ask("trust/issued-by-the-boundary", guarantee.ServerPerPeer, "The ingress gateway accepts a certificate of the boundary's CA", Outside, toBoundary(ByBoundary("west-boundary", BoundaryEgress)), "200"),
		Ask("trust/issued-by-the-mesh", guarantee.ServerPerPeer, "The ingress gateway rejects the egress gateway's boundary identity from the mesh CA", Outside, toBoundary(MeshCA("west", pki.Request{SpiffeID: BoundaryEgress})), "alert: *"),
		Ask("trust/identity-of-the-mesh", guarantee.ServerPerPeer, "The ingress gateway rejects the gateway's mesh identity from the boundary's CA", Outside, toBoundary(ByBoundary("west-boundary", EgressID)), "alert: *"),
		Ask("trust/issued-by-the-other-boundary", guarantee.ServerPerPeer, "The ingress gateway rejects a certificate of its own boundary's CA", Outside, toBoundary(ByBoundary("east-boundary", BoundaryEgress)), "alert: *"),
		Case{Name: "trust/workloads-in-cluster-local", Guarantees: guarantee.ExplicitAccess | guarantee.ServerPerPeer, Expect: "The workloads of both meshes change to the trust domain cluster.local, and only listed callers get through", Run: clusterLocal},
		Case{Name: "trust/secrets-renewed", Guarantees: guarantee.NoPrivateKeys, Expect: "The gateways load renewed certificates from Secrets repeatedly without a failed call", Run: secretsRenewed},
		Case{Name: "trust/secret-root-replaced", Guarantees: guarantee.ServerPerPeer, Expect: "East rotates its boundary CA to the next root without a failed call", Run: nextRoot},
		Case{Name: "trust/revoked-caller", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway rejects a revoked certificate at once, and loads new revocation lists without a failed call", Run: revokedCaller},
		Case{Name: "trust/revoked-server", Guarantees: guarantee.ServerPerPeer, Expect: "The egress gateway rejects a revoked server certificate", Run: revokedServer},
		Case{Name: "trust/list-expired", Guarantees: guarantee.ServerPerPeer, Expect: "The gateways reject every certificate of the peer when the revocation list has expired, in both directions", Run: listExpired},
		Case{Name: "trust/intermediate", Guarantees: guarantee.ServerPerPeer, Expect: "Peers may present a chain; an intermediate CA as the anchor rejects other certificates of its root", Run: intermediate},
	)
}

// toBoundary is a request to east's ingress gateway in this scenario.
func toBoundary(shown CertificateSource) func(*federation.Federation) traffic.Probe {
	return ToIngress(shown, WithSNI(BoundarySNI), func(p *traffic.Probe) { p.URL = "https://" + BoundarySNI + "/reviews/0" })
}

// bothDirections are the calls that work in this scenario, so many times a second.
func bothDirections(t *T) []*Stream {
	var streams []*Stream
	for _, call := range []struct {
		name string
		from From
		url  string
	}{{"west to east", Productpage, "http://reviews:9080/reviews/0"}, {"east to west", Backend, DetailsURL}} {
		streams = append(streams, t.Stream(call.name, call.from, traffic.Probe{URL: call.url, Every: 25 * time.Millisecond, Reuse: true}))
	}
	return streams
}

// synthesizeWith synthesizes the scenario with other files in the directory of roots, and returns where the manifests
// are.
func synthesizeWith(t *T, files map[string]string) func(meshName string) string {
	directory := t.Directory()
	trust, output := filepath.Join(directory, "trust"), filepath.Join(directory, "manifests")
	t.Must(os.CopyFS(trust, os.DirFS(t.Trust())))
	for name, text := range files {
		t.Must(os.WriteFile(filepath.Join(trust, name), []byte(text), 0o644))
	}
	t.Must(t.Synthesise(t.Context(), trust, output, t.Current()))
	return func(meshName string) string { return filepath.Join(output, t.Current(), meshName+".yaml") }
}

// restoreCredentials restores the scenario's files and issues new certificates when the case is over.
func restoreCredentials(t *T) {
	t.Restore(func(ctx context.Context) error {
		for _, m := range []*mesh.Mesh{t.East, t.West} {
			if err := t.PutCredentials(ctx, m, t.Current()); err != nil {
				return err
			}
			if err := m.ApplyFile(ctx, t.Files(t.Current(), m.Name)[0]); err != nil {
				return err
			}
			if err := Rolled(ctx, m, federation.Boundary, "federation-egress"); err != nil {
				return err
			}
		}
		for from, url := range map[From]string{Productpage: "http://reviews:9080/reviews/0", Backend: DetailsURL} {
			if err := WaitUntil(ctx, t.Federation, from, "200", traffic.Probe{URL: url}); err != nil {
				return err
			}
		}
		return nil
	})
}

// issueAll replaces all Secrets of a mesh by certificates of an authority.
func issueAll(t *T, m *mesh.Mesh, authority *pki.Authority) []pki.Leaf {
	var leaves []pki.Leaf
	for _, credential := range federation.Credentials[t.Current()][m.Name] {
		leaf, err := authority.Issue(pki.Request{SpiffeID: credential.SpiffeID})
		t.Must(err)
		t.Must(federation.PutCredential(t.Context(), m, credential.Secret, leaf))
		leaves = append(leaves, leaf)
	}
	return leaves
}

func authority(t *T, name string) *pki.Authority {
	authority, err := t.Authority(name)
	t.Must(err)
	return authority
}

func oncePerConnectionBothWays(t *T) {
	t.OncePerConnectionIn(t.West)
	t.OncePerConnectionIn(t.East)
}

// clusterLocal gives both meshes Istio's default trust domain, and applies the manifests that the program then
// generates.
func clusterLocal(t *T) {
	meshes := []*mesh.Mesh{t.East, t.West}
	restoreCredentials(t)
	over := func(ctx context.Context, from, to func(*mesh.Mesh) string) error {
		for _, m := range meshes {
			if err := m.SetTrustDomain(ctx, from(m), to(m)); err != nil {
				return err
			}
			for _, workload := range [][2]string{{federation.Boundary, "federation-ingress"}, {federation.Boundary, "federation-egress"}, {"default", ""}} {
				args := []string{"-n", workload[0], "rollout", "restart", "deployment"}
				if workload[1] != "" {
					args = append(args, workload[1])
				}
				if _, err := m.Kubectl(ctx, "", args...); err != nil {
					return err
				}
			}
		}
		for _, m := range meshes {
			for _, namespace := range []string{federation.Boundary, "default"} {
				if err := m.Available(ctx, namespace); err != nil {
					return err
				}
			}
		}
		return nil
	}
	own := func(m *mesh.Mesh) string { return m.TrustDomain() }
	shared := func(*mesh.Mesh) string { return "cluster.local" }
	t.Restore(func(ctx context.Context) error { return over(ctx, shared, own) })
	t.Must(over(t.Context(), own, shared))
	t.Until(Productpage, "503", Reviews("/reviews/0"))
	t.Logf("503 while the policies list callers of the old trust domain")
	directory := t.Directory()
	t.Must(t.Synthesise(t.Context(), t.Trust(), directory, "cluster-local"))
	for _, m := range meshes {
		t.Must(m.ApplyFile(t.Context(), filepath.Join(directory, "cluster-local", m.Name+".yaml")))
	}
	t.Until(Productpage, "200", Reviews("/reviews/0"))
	t.Until(Backend, "200", traffic.Probe{URL: DetailsURL})
	t.Want(OtherAccount, "503", Reviews("/reviews/0"))
	t.Want(Caller("east", "default/ratings"), "503", traffic.Probe{URL: DetailsURL})
	t.Want(Outside, "alert: *", toBoundary(MeshCA("west", pki.Request{SpiffeID: "spiffe://cluster.local/ns/istio-federation/sa/federation-egress"}))(t.Federation),
		toBoundary(ByBoundary("west-boundary", "spiffe://cluster.local/ns/istio-federation/sa/federation-egress"))(t.Federation))
	t.Logf("with callers of cluster.local: 200 both ways; other accounts and certificates of cluster.local are rejected")
}

func secretsRenewed(t *T) {
	restoreCredentials(t)
	oncePerConnectionBothWays(t)
	streams := bothDirections(t)
	served, shown := map[string]bool{}, map[string]bool{}
	for range 6 {
		issueAll(t, t.East, authority(t, "east-boundary"))
		issueAll(t, t.West, authority(t, "west-boundary"))
		t.Pause(2 * time.Second)
		genuine := ByBoundary("west-boundary", BoundaryEgress)
		served[ParseChain(t.Try(Outside, toBoundary(genuine)(t.Federation))[0].Certificates)[0].SerialNumber.String()] = true
		own, err := CertificatesOf(t.Context(), t.West, "istio-federation/federation-egress")
		t.Must(err)
		for name, leaf := range own.Leaves {
			if name != "default" {
				shown[leaf.SerialNumber.String()] = true
			}
		}
	}
	for _, one := range streams {
		t.Steady(one)
	}
	t.Logf("6 renewals; the ingress gateway presented %d certificates, the egress gateway %d", len(served), len(shown))
	if len(served) < 5 || len(shown) < 5 {
		t.Errorf("not all renewals were noticed")
	}
}

func nextRoot(t *T) {
	restoreCredentials(t)
	oncePerConnectionBothWays(t)
	streams := bothDirections(t)
	issueAll(t, t.East, authority(t, "east-boundary-next"))
	t.Pause(3 * time.Second)
	for _, one := range streams {
		t.Steady(one)
	}
}

func revokedCaller(t *T) {
	restoreCredentials(t)
	oncePerConnectionBothWays(t)
	authority := authority(t, "west-boundary")
	stolen, err := authority.Issue(pki.Request{SpiffeID: BoundaryEgress})
	t.Must(err)
	thief := toBoundary(func(*federation.Federation) pki.Leaf { return stolen })(t.Federation)
	t.Want(Outside, "200", thief)
	streams := bothDirections(t)
	for i, revoked := range [][]pki.Leaf{{stolen}, {}, {stolen}} {
		list, err := authority.Revoke(time.Now().Add(time.Duration(24+i)*time.Hour), revoked...)
		t.Must(err)
		t.Must(t.East.ApplyFile(t.Context(), synthesizeWith(t, map[string]string{"west-boundary.crl": list})("east")))
		want := "200"
		if len(revoked) > 0 {
			want = "alert: *"
		}
		t.Logf("%s after %.1f s", want, t.Until(Outside, want, thief).Seconds())
		t.OncePerConnectionIn(t.East)
		t.Must(Rolled(t.Context(), t.East, federation.Boundary, "federation-egress"))
	}
	for _, one := range streams {
		t.Steady(one)
	}
}

func revokedServer(t *T) {
	restoreCredentials(t)
	oncePerConnectionBothWays(t)
	authority := authority(t, "west-boundary")
	leaves := issueAll(t, t.West, authority)
	t.Pause(2 * time.Second)
	t.Want(Backend, "200", traffic.Probe{URL: DetailsURL})
	list, err := authority.Revoke(time.Now().Add(24*time.Hour), leaves[0])
	t.Must(err)
	began := time.Now()
	t.Must(t.East.ApplyFile(t.Context(), synthesizeWith(t, map[string]string{"west-boundary.crl": list})("east")))
	t.Must(Rolled(t.Context(), t.East, federation.Boundary, "federation-egress"))
	t.Must(WaitUntil(t.Context(), t.Federation, Backend, "503", traffic.Probe{URL: DetailsURL}))
	t.Logf("rejected %.1f s after kubectl began, when the pods had been replaced", time.Since(began).Seconds())
	t.Want(Productpage, "200", Reviews("/reviews/0")) // west's egress gateway has another certificate
	issueAll(t, t.West, authority)
	t.Logf("a new certificate is trusted after %.1f s", t.Until(Backend, "200", traffic.Probe{URL: DetailsURL}).Seconds())
}

func listExpired(t *T) {
	restoreCredentials(t)
	oncePerConnectionBothWays(t)
	list, err := authority(t, "west-boundary").Revoke(time.Now().Add(-time.Minute))
	t.Must(err)
	t.Must(t.East.ApplyFile(t.Context(), synthesizeWith(t, map[string]string{"west-boundary.crl": list})("east")))
	t.Must(Rolled(t.Context(), t.East, federation.Boundary, "federation-egress"))
	t.Until(Productpage, "503", Reviews("/reviews/0"))
	t.Until(Backend, "503", traffic.Probe{URL: DetailsURL})
	t.Want(Outside, "alert: *", toBoundary(ByBoundary("west-boundary", BoundaryEgress))(t.Federation))
	t.Logf("no client of west is let in, and no server of west is trusted")
}

func intermediate(t *T) {
	restoreCredentials(t)
	oncePerConnectionBothWays(t)
	root := authority(t, "east-boundary")
	below, err := root.Intermediate("east-boundary, second floor")
	t.Must(err)
	var seen []string
	expect := func(what, want string) {
		t.Until(Productpage, want, Reviews("/reviews/0"))
		t.Until(Backend, want, traffic.Probe{URL: DetailsURL})
		t.Pause(time.Second)
		t.Want(Productpage, want, Reviews("/reviews/0"))
		t.Want(Backend, want, traffic.Probe{URL: DetailsURL})
		seen = append(seen, fmt.Sprintf("%s: %s", what, want))
	}
	issueAll(t, t.East, below)
	t.Pause(2 * time.Second)
	expect("a chain, under the root", "200")
	t.Must(t.West.ApplyFile(t.Context(), synthesizeWith(t, map[string]string{"east-boundary.pem": below.PEM})("west")))
	t.OncePerConnectionIn(t.West)
	expect("the same, with the intermediate CA as the anchor", "200")
	issueAll(t, t.East, root)
	expect("a certificate of the root, with the intermediate CA as the anchor", "503")
	for _, what := range seen {
		t.Logf("%s", what)
	}
}
