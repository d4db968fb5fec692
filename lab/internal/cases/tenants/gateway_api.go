package tenants

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// gatewayObjects are objects of the Gateway API that the admission policy of west denies.
const gatewayObjects = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: neighbour, namespace: tenant}
spec: {parentRefs: [{group: "", kind: Service, name: reviews, namespace: default}], rules: [{}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: neighbour, namespace: default}
spec: {parentRefs: [{group: "", kind: Service, name: reviews}], rules: [{}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: neighbour, namespace: istio-federation}
spec: {gatewayClassName: istio, addresses: [{type: Hostname, value: federation-egress}], listeners: [{name: http, port: 8080, protocol: HTTP}]}
`

// ownGatewayObjects are objects of the Gateway API of a tenant's own.
const ownGatewayObjects = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: own, namespace: tenant}
spec: {parentRefs: [{group: "", kind: Service, name: reviews}], rules: [{}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: own, namespace: tenant}
spec: {gatewayClassName: none, listeners: [{name: http, port: 8080, protocol: HTTP}]}
`

// installGatewayAPI installs the kinds of the Gateway API that istiod reads, for as long as the case runs.
func installGatewayAPI(t *T, m *mesh.Mesh) {
	source, err := t.Federation.Source(t.Context(), "sigs.k8s.io/gateway-api")
	t.Must(err)
	var text strings.Builder
	for _, kind := range []string{"gatewayclasses", "gateways", "httproutes"} {
		data, err := os.ReadFile(filepath.Join(source, "config", "crd", "standard", "gateway.networking.k8s.io_"+kind+".yaml"))
		t.Must(err)
		text.WriteString("---\n" + string(data))
	}
	t.Restore(func(ctx context.Context) error {
		_, err := m.Kubectl(ctx, text.String(), "delete", "--ignore-not-found", "-f", "-")
		return err
	})
	_, err = m.Kubectl(t.Context(), text.String(), "apply", "--server-side", "-f", "-")
	t.Must(err)
	_, err = m.Kubectl(t.Context(), text.String(), "wait", "--for=condition=Established", "--timeout=60s", "-f", "-")
	t.Must(err)
}

// gatewayAPIDenied applies objects of the Gateway API to a mesh whose admission policy is older than their kinds.
func gatewayAPIDenied(t *T) {
	CreateTenant(t, t.West)
	installGatewayAPI(t, t.West)
	for _, object := range ParseObjects(t, gatewayObjects) {
		t.Restore(func(ctx context.Context) error { return t.West.Delete(ctx, object) })
		if err := t.West.Put(t.Context(), object); err == nil || !Refusal(err) {
			t.Errorf("the policy does not deny %s %s/%s: %v", object.GetKind(), object.GetNamespace(), object.GetName(), err)
		}
	}
	t.Put(t.West, ownGatewayObjects)
	waitForConfig(t, t.West)
	expectUnharmed(t)
	t.Logf("%d objects denied; a tenant's own Gateway and route are accepted", len(ParseObjects(t, gatewayObjects)))
}
