package tenants

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// manyNames applies the admission policy of a program with 2,000 local names in place of west's own.
func manyNames(t *T) {
	const program, name = "names-2000", "istio-federation-boundary"
	CreateTenant(t, t.West)
	own := t.Manifest(t.West, "ValidatingAdmissionPolicy", name)
	t.Must(t.Federation.Add(t.Context(), program))
	objects, err := t.Federation.Objects(program, "west")
	t.Must(err)
	var large *unstructured.Unstructured
	for _, object := range objects {
		if object.GetKind() == "ValidatingAdmissionPolicy" && object.GetName() == name {
			large = object
		}
	}
	t.Restore(func(ctx context.Context) error {
		return errors.Join(t.West.PutOwn(ctx, own), waitForPolicy(ctx, t.West, true))
	})
	began := time.Now()
	t.Must(t.West.PutOwn(t.Context(), large))
	accepted := time.Since(began)
	attack := ParseObjects(t, tenantRoute("tenant", "ledger-1999.team-19.svc.cluster.local", `["*"]`))
	t.Restore(func(ctx context.Context) error { return t.West.Delete(ctx, attack...) })
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		err := t.West.Put(t.Context(), attack...)
		if err == nil {
			return errors.New("the policy does not deny a VirtualService for the last of 2,000 names")
		}
		if !Refusal(err) || !strings.Contains(err.Error(), routesHost) {
			return err
		}
		return nil
	}))
	enforced := time.Since(began)
	var hosts []string
	for i := range 200 {
		hosts = append(hosts, fmt.Sprintf("shop-%d.tenant.example", i))
	}
	began = time.Now()
	t.Put(t.West, fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: unrelated, namespace: tenant}
spec: {hosts: [%[1]s], exportTo: ["."], http: [{directResponse: {status: 404}}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: unrelated, namespace: tenant}
spec: {hosts: [%[1]s], exportTo: ["."], ports: [{number: 443, name: tls, protocol: TLS}], resolution: NONE}
`, strings.Join(hosts, ", ")))
	t.Logf("accepted after %.1f s, enforced after %.1f s; a VirtualService and a ServiceEntry with 200 hosts take %.1f s", accepted.Seconds(), enforced.Seconds(), time.Since(began).Seconds())
}
