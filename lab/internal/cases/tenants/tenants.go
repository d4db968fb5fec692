// Package tenants has the cases for objects of other tenants of a mesh, which the admission policy denies, or which
// have no effect without it.
package tenants

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Cases are objects of other tenants that affect the boundary: its gateways, its hosts, its names. Each attack is tried
// twice: the API server denies it, and it has no effect while the admission policy is disabled. One case shows the
// effect of the attacks when istiod's variable is missing as well.
func Cases() []Case {
	var all []Case
	for _, a := range deniedObjects {
		if a.refused != "" {
			all = append(all, Case{Name: "tenants/denied-" + a.name, Guarantees: guarantee.TenantsKeptOut, Expect: "The API server denies " + a.what, Run: a.isDenied})
		}
	}
	for _, a := range acceptedObjects {
		all = append(all, Case{Name: "tenants/accepted-" + a.name, Guarantees: guarantee.TenantsKeptOut, Expect: "The API server accepts " + a.what + ", which does not affect the boundary", Run: a.isAccepted})
	}
	all = append(all,
		Case{Name: "tenants/status-accepted", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server lets controllers write the status of objects that the policy would deny", Run: statusPasses},
		Case{Name: "tenants/finalizer", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server denies changes against us to an object that a finalizer keeps, and allows its removal", Run: finalizer},
	)
	all = append(all,
		Case{Name: "tenants/many-names", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server accepts the policy of 2,000 local names, denies a VirtualService for the last one, and accepts unrelated objects of 200 hosts", Run: manyNames},
		Case{Name: "tenants/denied-gateway-api", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server denies routes of the Gateway API for the local name, and a Gateway of that API beside the boundary gateways", Run: gatewayAPIDenied},
	)
	for _, a := range deniedObjects {
		if a.refused != "" && !a.onlyRefused {
			all = append(all, Case{Name: "tenants/no-effect-" + a.name, Guarantees: guarantee.TenantsKeptOut, Expect: "Without the admission policy, the boundary is not affected by " + a.what, Run: a.hasNoEffect})
		}
	}
	for _, o := range uncoveredObjects {
		all = append(all, Case{Name: "tenants/" + o.name, Guarantees: o.guarantees, Expect: o.what, Run: o.run})
	}
	all = append(all,
		Case{Name: "tenants/no-effect-older-route", Guarantees: guarantee.TenantsKeptOut, Expect: "Without the policy, an older VirtualService for the local name does not affect callers in that name's namespace", Run: olderRoute},
		Case{Name: "tenants/risk-filter-in-root", Guarantees: guarantee.TenantsKeptOut, Expect: "Known risk without the policy: an EnvoyFilter in the root namespace changes the boundary gateways", Run: filterInRootWorks},
		Case{Name: "tenants/risk-neither-control", Guarantees: guarantee.TenantsKeptOut, Expect: "Known risk without the policy and istiod's variable: foreign Gateways open, freeze and take over the boundary", Run: neitherProtection},
	)
	return append(InScenario("two-meshes-http", all...), InScenario("three-meshes",
		Case{Name: "tenants/risk-older-route", Guarantees: guarantee.TenantsKeptOut, Expect: "Known risk without the policy: an older VirtualService of a tenant redirects callers outside the local name's namespace", Run: olderRouteSteals},
	)...)
}

// isDenied applies the first object; the others only use it.
func (a tenantAttack) isDenied(t *T) {
	m := t.Mesh(a.mesh)
	CreateTenant(t, m)
	first := ParseObjects(t, a.objects)[0]
	t.Restore(func(ctx context.Context) error { return m.Delete(ctx, first) })
	err := m.Put(t.Context(), first)
	if err == nil {
		t.Errorf("the API server accepted it")
		return
	}
	_, message, _ := strings.Cut(err.Error(), "denied request: ")
	t.Logf("%s", message)
	subject := fmt.Sprintf("%s %s/%s ", first.GetKind(), first.GetNamespace(), first.GetName())
	if !Refusal(err) || !strings.HasPrefix(message, subject) || !strings.Contains(message, a.refused) || !strings.Contains(message, "mesh "+a.mesh) {
		t.Errorf("the denial does not contain the object (%s), the reason (%s) and the boundary: %v", subject, a.refused, err)
	}
}

// hasNoEffect applies all objects while the policy is disabled.
func (a tenantAttack) hasNoEffect(t *T) {
	m := t.Mesh(a.mesh)
	CreateTenantPod(t, t.East)
	CreateTenant(t, m)
	withoutPolicy(t, m)
	before := listeners(t, m, GatewayOf(a.mesh))
	t.Put(m, a.objects)
	waitForConfig(t, m)
	expectUnharmed(t)
	if after := listeners(t, m, GatewayOf(a.mesh)); after != before {
		t.Errorf("the gateway listened on %s, and now on %s", before, after)
	}
	if a.check != nil {
		a.check(t)
	}
	t.Logf("200 and 503 as before, no other listener, updates still arrive")
}

// isAccepted applies the objects while the policy is enabled.
func (a tenantAttack) isAccepted(t *T) {
	m := t.Mesh(a.mesh)
	CreateTenant(t, m)
	t.Put(m, a.objects)
	waitForConfig(t, m)
	expectUnharmed(t)
	t.Logf("accepted; 200 and 503 as before")
}

// finalizer retains a deleted object, and tries to change it.
func finalizer(t *T) {
	CreateTenant(t, t.East)
	text := `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: lingering, namespace: tenant, finalizers: [%s]}
spec: {selector: {istio: %s}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}
`
	kept, ours, freed := fmt.Sprintf(text, "lab.example/keep", "tenants-own"), fmt.Sprintf(text, "lab.example/keep", "istio-federation-ingress"), fmt.Sprintf(text, "", "tenants-own")
	t.Put(t.East, kept)
	_, err := t.East.Kubectl(t.Context(), "", "-n", "tenant", "delete", "gateways.networking.istio.io", "lingering", "--wait=false")
	t.Must(err)
	err = t.East.Put(t.Context(), ParseObjects(t, ours)...)
	if err == nil || !Refusal(err) {
		t.Errorf("its selector could be changed to ours: %v", err)
	}
	t.Must(t.East.Put(t.Context(), ParseObjects(t, freed)...))
	t.Must(t.East.Delete(t.Context(), ParseObjects(t, freed)...))
	t.Logf("the edit is denied; the object is removed without its finalizer")
}

// statusPasses needs an object that the policy denies: it is applied while the policy is disabled, as if it had been
// there before.
func statusPasses(t *T) {
	CreateTenant(t, t.East)
	foreign := ParseObjects(t, foreignGateway("v1", ourIngress, ownPort))
	t.Restore(func(ctx context.Context) error { return t.East.Delete(ctx, foreign...) })
	patch := []string{"-n", "tenant", "patch", "gateways.networking.istio.io", "foreign", "--type=merge", "-p"}
	whilePolicyIsOff(t, t.East, func() { ApplyObjects(t, t.East, foreignGateway("v1", ourIngress, ownPort)) })
	_, err := t.East.Kubectl(t.Context(), "", append(patch, `{"status":{"conditions":[{"type":"Reconciled","status":"True"}]}}`, "--subresource=status")...)
	t.Must(err)
	if _, err := t.East.Kubectl(t.Context(), "", append(patch, `{"metadata":{"labels":{"touched":"yes"}}}`)...); err == nil || !strings.Contains(err.Error(), "istio-federation-boundary") {
		t.Errorf("the policy does not deny other changes of it: %v", err)
	}
	t.Logf("the status is accepted, other changes are denied")
}

// olderRouteSteals is about callers outside of the local name's namespace. In the name's own namespace our route is
// private, which istiod prefers to exported routes. For all others it is one exported route among several, of which the
// oldest takes precedence.
func olderRouteSteals(t *T) {
	CreateTenant(t, t.West)
	caller, call := Caller("west", "west/client"), traffic.Probe{URL: "http://ledger.partners:8080/entries", Method: "POST"}
	theirs := tenantRoute("tenant", "ledger.partners.svc.cluster.local", `[west]`)
	if err := t.West.Put(t.Context(), ParseObjects(t, theirs)...); err == nil || !Refusal(err) {
		t.Errorf("the policy does not deny it: %v", err)
	}
	withoutPolicy(t, t.West)
	WithObjects(t, t.West, theirs, func() {
		Recreate(t, t.West, "VirtualService fed-name-ledger-partners")
		time.Sleep(2 * time.Second) // before ours has arrived, theirs is the only one, so the result would have no meaning
		t.Want(caller, "418", call)
		t.Logf("a caller of another namespace gets the tenant's 418")
	})
	t.Until(caller, "200", call)
}

// olderRoute is the same for callers in the local name's namespace.
func olderRoute(t *T) {
	CreateTenant(t, t.West)
	withoutPolicy(t, t.West)
	for _, exportTo := range []string{`["*"]`, `[default]`} {
		WithObjects(t, t.West, tenantRoute("tenant", ReviewsHost, exportTo), func() {
			Recreate(t, t.West, "VirtualService fed-name-reviews-default")
			t.Until(Productpage, "200", Reviews("/reviews/0"))
			waitForConfig(t, t.West)
			expectUnharmed(t)
		})
	}
	t.Logf("200 and 503 as before, for an export to everybody and one to the callers")
}

func filterInRootWorks(t *T) {
	withoutPolicy(t, t.East)
	filter := abortFilter("istio-system", `{labels: {istio: istio-federation-ingress}}`)
	t.Put(t.East, filter)
	t.Until(Outside, "418", ToIngress(GenuineWest)(t.Federation))
	t.Must(t.East.Delete(t.Context(), ParseObjects(t, filter)...))
	t.Until(Outside, "200", ToIngress(GenuineWest)(t.Federation))
	t.Logf("every request of the peer gets the filter's 418")
}
