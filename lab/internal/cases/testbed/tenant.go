package testbed

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// IntoMesh is how an external attacker would use a Gateway with AUTO_PASSTHROUGH: the SNI selects the workload.
var IntoMesh = traffic.Probe{Kind: "handshake", URL: "tls://" + EastAddress,
	TLS: &traffic.TLS{ServerName: "outbound_.9080_._.ratings.default.svc.cluster.local", ALPN: []string{"istio"}}}

// TenantPod is a pod of another tenant in east. It has no sidecar, so that it dials addresses directly.
var TenantPod = From{"east", "tenant/tenant"}

// tenantNamespace is created in both meshes. It stays after a case, since deleting a namespace takes seconds and it has
// no effect by itself.
const tenantNamespace = `apiVersion: v1
kind: Namespace
metadata: {name: tenant, labels: {istio-injection: enabled}}
`

// PodOf is a workload of another tenant, with or without a sidecar.
func PodOf(name string, sidecar bool) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ServiceAccount
metadata: {name: %[1]s, namespace: tenant}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: tenant}
spec:
  replicas: 1
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata:
      labels: {app: %[1]s, sidecar.istio.io/inject: "%[2]t"}
    spec:
      serviceAccountName: %[1]s
      terminationGracePeriodSeconds: 2
      containers: [{name: app, image: mesh-federation-lab/app, args: [serve, --http, "8000"]}]
`, name, sidecar)
}

// CreateTenant creates the namespace of another tenant.
func CreateTenant(t *T, m *mesh.Mesh) { ApplyObjects(t, m, tenantNamespace) }

// CreateTenantPod creates the workload of another tenant, too.
func CreateTenantPod(t *T, m *mesh.Mesh) {
	ApplyObjects(t, m, tenantNamespace+"---\n"+PodOf("tenant", false))
	t.Must(m.Ready(t.Context(), "tenant"))
}

// Refusal reports whether the admission policy denied a request.
func Refusal(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'istio-federation-boundary'")
}
