package cases

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// What a scenario with authorities for boundaries alone is called on the wire.
const (
	boundarySNI    = "p9080.reviews.west.fed.boundary.east.example"
	boundaryEgress = "spiffe://boundary.west.example/ns/istio-federation/sa/federation-egress"
	detailsURL     = "http://details.catalogue:9080/details/0"
)

// authorities are certificates that the meshes' own CAs do not issue.
func authorities() []Case {
	return inScenario("separate-authorities",
		analyzed("separate-authorities"),
		ask("trust/own-authorities", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "West calls east when each boundary has its own CA", productpage, get("http://reviews:9080/reviews/0"), "200"),
		ask("trust/own-authorities-back", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "East calls west when each boundary has its own CA", backend, get(detailsURL), "200"),
		ask("trust/own-authorities-refuse", guarantee.ExplicitAccess|guarantee.EgressCallers, "The egress gateway rejects an unlisted workload when each boundary has its own CA", otherAccount, get("http://reviews:9080/reviews/0"), "503"),
		ask("trust/issued-by-the-boundary", guarantee.ServerPerPeer, "The ingress gateway accepts a certificate of the boundary's CA", outside, toBoundary(byBoundary("west-boundary", boundaryEgress)), "200"),
		ask("trust/issued-by-the-mesh", guarantee.ServerPerPeer, "The ingress gateway rejects the same identity from the mesh CA", outside, toBoundary(meshCA("west", pki.Request{SpiffeID: boundaryEgress})), "alert: *"),
		ask("trust/identity-of-the-mesh", guarantee.ServerPerPeer, "The ingress gateway rejects the gateway's mesh identity from the boundary's CA", outside, toBoundary(byBoundary("west-boundary", egressID)), "alert: *"),
		ask("trust/issued-by-the-other-boundary", guarantee.ServerPerPeer, "The ingress gateway rejects a certificate of its own boundary's CA", outside, toBoundary(byBoundary("east-boundary", boundaryEgress)), "alert: *"),
		Case{Name: "trust/workloads-in-cluster-local", Guarantees: guarantee.ExplicitAccess | guarantee.ServerPerPeer, Expect: "The workloads of both meshes change to the trust domain cluster.local, and only listed callers get through", Run: clusterLocal},
		Case{Name: "trust/secrets-renewed", Guarantees: guarantee.NoPrivateKeys, Expect: "The gateways load renewed certificates from Secrets repeatedly without a failed call", Run: secretsRenewed},
		Case{Name: "trust/secret-root-replaced", Guarantees: guarantee.ServerPerPeer, Expect: "East rotates its boundary CA to the next root without a failed call", Run: nextRoot},
		Case{Name: "trust/revoked-caller", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway rejects a revoked certificate at once, and loads new revocation lists without a failed call", Run: revokedCaller},
		Case{Name: "trust/revoked-server", Guarantees: guarantee.ServerPerPeer, Expect: "The egress gateway rejects a revoked server certificate", Run: revokedServer},
		Case{Name: "trust/list-expired", Guarantees: guarantee.ServerPerPeer, Expect: "The gateways reject every certificate of the peer when the revocation list has expired, in both directions", Run: listExpired},
		Case{Name: "trust/intermediate", Guarantees: guarantee.ServerPerPeer, Expect: "Peers may present a chain; an intermediate CA as the anchor rejects other certificates of its root", Run: intermediate},
	)
}

// byBoundary is what the authority of a boundary issues.
func byBoundary(name, spiffeID string) certificateSource {
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

// toBoundary is a request to east's ingress gateway in this scenario.
func toBoundary(shown certificateSource) func(*federation.Federation) traffic.Probe {
	return toIngress(shown, withSNI(boundarySNI), func(p *traffic.Probe) { p.URL = "https://" + boundarySNI + "/reviews/0" })
}

// bothDirections are the calls that work in this scenario, so many times a second.
func (t *T) bothDirections() []*stream {
	var streams []*stream
	for _, call := range []struct {
		name string
		from From
		url  string
	}{{"west to east", productpage, "http://reviews:9080/reviews/0"}, {"east to west", backend, detailsURL}} {
		streams = append(streams, t.stream(call.name, call.from, traffic.Probe{URL: call.url, Every: 25 * time.Millisecond, Reuse: true}))
	}
	return streams
}

// synthesizeWith synthesises the scenario with other files in the directory of roots, and returns where the manifests are.
func (t *T) synthesizeWith(files map[string]string) func(meshName string) string {
	directory := t.directory()
	trust, output := filepath.Join(directory, "trust"), filepath.Join(directory, "manifests")
	t.Must(os.CopyFS(trust, os.DirFS(t.Trust())))
	for name, text := range files {
		t.Must(os.WriteFile(filepath.Join(trust, name), []byte(text), 0o644))
	}
	t.Must(t.Synthesise(t.Context(), trust, output, t.Current()))
	return func(meshName string) string { return filepath.Join(output, t.Current(), meshName+".yaml") }
}

// restoreCredentials goes back to the scenario's files and to new certificates when the case is over.
func (t *T) restoreCredentials() {
	t.Restore(func(ctx context.Context) error {
		for _, m := range []*mesh.Mesh{t.East, t.West} {
			if err := t.PutCredentials(ctx, m, t.Current()); err != nil {
				return err
			}
			if err := m.ApplyFile(ctx, t.Files(t.Current(), m.Name)[0]); err != nil {
				return err
			}
			if err := rolled(ctx, m, federation.Boundary, "federation-egress"); err != nil {
				return err
			}
		}
		for from, url := range map[From]string{productpage: "http://reviews:9080/reviews/0", backend: detailsURL} {
			if err := waitUntil(ctx, t.Federation, from, "200", traffic.Probe{URL: url}); err != nil {
				return err
			}
		}
		return nil
	})
}

// issueAll writes all Secrets of a mesh anew, issued by an authority.
func (t *T) issueAll(m *mesh.Mesh, authority *pki.Authority) []pki.Leaf {
	var leaves []pki.Leaf
	for _, credential := range federation.Credentials[t.Current()][m.Name] {
		leaf, err := authority.Issue(pki.Request{SpiffeID: credential.SpiffeID})
		t.Must(err)
		t.Must(federation.PutCredential(t.Context(), m, credential.Secret, leaf))
		leaves = append(leaves, leaf)
	}
	return leaves
}

func (t *T) authority(name string) *pki.Authority {
	authority, err := t.Authority(name)
	t.Must(err)
	return authority
}

func (t *T) oncePerConnectionBothWays() {
	t.oncePerConnectionIn(t.West)
	t.oncePerConnectionIn(t.East)
}

// clusterLocal gives both meshes the trust domain that Istio has without being told, and applies what the program then writes.
func clusterLocal(t *T) {
	meshes := []*mesh.Mesh{t.East, t.West}
	t.restoreCredentials()
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
	t.Until(productpage, "503", reviews("/reviews/0"))
	t.Logf("with policies that name callers of the old trust domain: 503")
	directory := t.directory()
	t.Must(t.Synthesise(t.Context(), t.Trust(), directory, "cluster-local"))
	for _, m := range meshes {
		t.Must(m.ApplyFile(t.Context(), filepath.Join(directory, "cluster-local", m.Name+".yaml")))
	}
	t.Until(productpage, "200", reviews("/reviews/0"))
	t.Until(backend, "200", traffic.Probe{URL: detailsURL})
	t.Want(otherAccount, "503", reviews("/reviews/0"))
	t.Want(From{"east", "default/ratings"}, "503", traffic.Probe{URL: detailsURL})
	t.Want(outside, "alert: *", toBoundary(meshCA("west", pki.Request{SpiffeID: "spiffe://cluster.local/ns/istio-federation/sa/federation-egress"}))(t.Federation),
		toBoundary(byBoundary("west-boundary", "spiffe://cluster.local/ns/istio-federation/sa/federation-egress"))(t.Federation))
	t.Logf("with those of cluster.local: 200 both ways, other accounts refused, certificates of cluster.local refused at the border")
}

func secretsRenewed(t *T) {
	t.restoreCredentials()
	t.oncePerConnectionBothWays()
	streams := t.bothDirections()
	served, shown := map[string]bool{}, map[string]bool{}
	for range 6 {
		t.issueAll(t.East, t.authority("east-boundary"))
		t.issueAll(t.West, t.authority("west-boundary"))
		t.pause(2 * time.Second)
		genuine := byBoundary("west-boundary", boundaryEgress)
		served[parseChain(t.Try(outside, toBoundary(genuine)(t.Federation))[0].Certificates)[0].SerialNumber.String()] = true
		own, err := certificatesOf(t.Context(), t.West, "istio-federation/federation-egress")
		t.Must(err)
		for name, leaf := range own.leaves {
			if name != "default" {
				shown[leaf.SerialNumber.String()] = true
			}
		}
	}
	for _, one := range streams {
		t.steady(one)
	}
	t.Logf("6 renewals; the ingress gateway showed %d certificates, the egress gateway %d", len(served), len(shown))
	if len(served) < 5 || len(shown) < 5 {
		t.Errorf("not all renewals were noticed")
	}
}

func nextRoot(t *T) {
	t.restoreCredentials()
	t.oncePerConnectionBothWays()
	streams := t.bothDirections()
	t.issueAll(t.East, t.authority("east-boundary-next"))
	t.pause(3 * time.Second)
	for _, one := range streams {
		t.steady(one)
	}
}

func revokedCaller(t *T) {
	t.restoreCredentials()
	t.oncePerConnectionBothWays()
	authority := t.authority("west-boundary")
	stolen, err := authority.Issue(pki.Request{SpiffeID: boundaryEgress})
	t.Must(err)
	thief := toBoundary(func(*federation.Federation) pki.Leaf { return stolen })(t.Federation)
	t.Want(outside, "200", thief)
	streams := t.bothDirections()
	for i, revoked := range [][]pki.Leaf{{stolen}, {}, {stolen}} {
		list, err := authority.Revoke(time.Now().Add(time.Duration(24+i)*time.Hour), revoked...)
		t.Must(err)
		t.Must(t.East.ApplyFile(t.Context(), t.synthesizeWith(map[string]string{"west-boundary.crl": list})("east")))
		want := "200"
		if len(revoked) > 0 {
			want = "alert: *"
		}
		t.Logf("%s after %.1f s", want, t.Until(outside, want, thief).Seconds())
		t.oncePerConnectionIn(t.East)
		t.Must(rolled(t.Context(), t.East, federation.Boundary, "federation-egress"))
	}
	for _, one := range streams {
		t.steady(one)
	}
}

func revokedServer(t *T) {
	t.restoreCredentials()
	t.oncePerConnectionBothWays()
	authority := t.authority("west-boundary")
	leaves := t.issueAll(t.West, authority)
	t.pause(2 * time.Second)
	t.Want(backend, "200", traffic.Probe{URL: detailsURL})
	list, err := authority.Revoke(time.Now().Add(24*time.Hour), leaves[0])
	t.Must(err)
	began := time.Now()
	t.Must(t.East.ApplyFile(t.Context(), t.synthesizeWith(map[string]string{"west-boundary.crl": list})("east")))
	t.Must(rolled(t.Context(), t.East, federation.Boundary, "federation-egress"))
	t.Must(waitUntil(t.Context(), t.Federation, backend, "503", traffic.Probe{URL: detailsURL}))
	t.Logf("refused %.1f s after kubectl began, when the pods had been replaced", time.Since(began).Seconds())
	t.Want(productpage, "200", reviews("/reviews/0")) // west's egress gateway has another certificate
	t.issueAll(t.West, authority)
	t.Logf("a new certificate is believed after %.1f s", t.Until(backend, "200", traffic.Probe{URL: detailsURL}).Seconds())
}

func listExpired(t *T) {
	t.restoreCredentials()
	t.oncePerConnectionBothWays()
	list, err := t.authority("west-boundary").Revoke(time.Now().Add(-time.Minute))
	t.Must(err)
	t.Must(t.East.ApplyFile(t.Context(), t.synthesizeWith(map[string]string{"west-boundary.crl": list})("east")))
	t.Must(rolled(t.Context(), t.East, federation.Boundary, "federation-egress"))
	t.Until(productpage, "503", reviews("/reviews/0"))
	t.Until(backend, "503", traffic.Probe{URL: detailsURL})
	t.Want(outside, "alert: *", toBoundary(byBoundary("west-boundary", boundaryEgress))(t.Federation))
	t.Logf("nobody of west is let in, and nobody of west is believed")
}

func intermediate(t *T) {
	t.restoreCredentials()
	t.oncePerConnectionBothWays()
	root := t.authority("east-boundary")
	below, err := root.Intermediate("east-boundary, second floor")
	t.Must(err)
	var seen []string
	expect := func(what, want string) {
		t.Until(productpage, want, reviews("/reviews/0"))
		t.Until(backend, want, traffic.Probe{URL: detailsURL})
		t.pause(time.Second)
		t.Want(productpage, want, reviews("/reviews/0"))
		t.Want(backend, want, traffic.Probe{URL: detailsURL})
		seen = append(seen, fmt.Sprintf("%s: %s", what, want))
	}
	t.issueAll(t.East, below)
	t.pause(2 * time.Second)
	expect("a chain, under the root", "200")
	t.Must(t.West.ApplyFile(t.Context(), t.synthesizeWith(map[string]string{"east-boundary.pem": below.PEM})("west")))
	t.oncePerConnectionIn(t.West)
	expect("the same, with the intermediate CA as the anchor", "200")
	t.issueAll(t.East, root)
	expect("a certificate of the root, with the intermediate CA as the anchor", "503")
	for _, what := range seen {
		t.Logf("%s", what)
	}
}
