package testbed

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// IntoMesh is how somebody outside would use a Gateway that passes bytes through: the server name says where to.
var IntoMesh = traffic.Probe{Kind: "handshake", URL: "tls://" + EastAddress,
	TLS: &traffic.TLS{ServerName: "outbound_.9080_._.ratings.default.svc.cluster.local", ALPN: []string{"istio"}}}

// TenantPod is a pod of a neighbour in east. It has no sidecar: what it dials is what it gets.
var TenantPod = From{"east", "tenant/tenant"}

// tenantNamespace is in both meshes. It stays when a case is over, since a namespace takes seconds to go and does nothing by itself.
const tenantNamespace = `apiVersion: v1
kind: Namespace
metadata: {name: tenant, labels: {istio-injection: enabled}}
`

// PodOf is a program of the neighbour, with a sidecar or without.
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

// CreateTenant makes sure that the neighbour's namespace is there.
func CreateTenant(t *T, m *mesh.Mesh) { ApplyObjects(t, m, tenantNamespace) }

// CreateTenantPod makes sure that the neighbour's pod runs, too.
func CreateTenantPod(t *T, m *mesh.Mesh) {
	ApplyObjects(t, m, tenantNamespace+"---\n"+PodOf("tenant", false))
	t.Must(m.Ready(t.Context(), "tenant"))
}

// Refusal tells whether it was the admission policy that said no.
func Refusal(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'istio-federation-boundary'")
}
