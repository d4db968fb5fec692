package testbed

import (
	"fmt"
	"strings"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

func GatewayOf(meshName string) string {
	if meshName == "west" {
		return "istio-federation/federation-egress"
	}
	return "istio-federation/federation-ingress"
}

// EnvoyAdmin reads a page of a workload's Envoy admin interface.
func EnvoyAdmin(t *T, m *mesh.Mesh, workload, page string) string {
	out, err := m.Admin(t.Context(), workload, page)
	t.Must(err)
	return out
}

// PodIP is the address of a workload's pod.
func PodIP(t *T, m *mesh.Mesh, workload string) string {
	pod, err := m.Pod(t.Context(), workload)
	t.Must(err)
	return pod.Status.PodIP
}

// Connections is the number of connections that an application has accepted at a port.
func (t *T) Connections(meshName, workload string, port int) int {
	m := t.Mesh(meshName)
	pod, err := m.Pod(t.Context(), workload)
	t.Must(err)
	log, err := m.Logs(t.Context(), pod, "app")
	t.Must(err)
	return strings.Count(log, fmt.Sprintf("port=%d connection", port))
}

// Workload is a workload on the way of the allowed call: the caller or a gateway.
type Workload struct {
	Mesh     *mesh.Mesh
	Workload string
}

func (c Workload) Namespace() string {
	namespace, _, _ := strings.Cut(c.Workload, "/")
	return namespace
}

func (c Workload) Name() string { _, name, _ := strings.Cut(c.Workload, "/"); return name }

func (t *T) Ingress() Workload { return Workload{t.East, GatewayOf("east")} }

func (t *T) Egress() Workload { return Workload{t.West, GatewayOf("west")} }

func (t *T) Caller() Workload { return Workload{t.West, Productpage.Workload} }
