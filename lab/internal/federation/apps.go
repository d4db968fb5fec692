package federation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// app is one application of a mesh: a Deployment of the lab's server with one pod, and a Service if it listens.
type app struct {
	name      string // namespace/name
	account   string
	ports     []port
	noSidecar bool   // without a sidecar
	dnsProxy  bool   // Istio's DNS proxy for names
	silent    bool   // without a line for each request
	visibleTo string // namespaces to which its Service is exported, if not to those of MeshConfig
	headless  bool   // a Service without cluster IP
	noPods    bool   // in this cluster, the Service only
	spire     bool   // mounts the socket of SPIRE's agent
}

// port is a port of an application, with its protocol.
type port struct {
	kind   string
	number int
}

// kinds are the options of `app serve`, and the appProtocol of the Service. For Istio, servers that send first or that
// terminate TLS themselves are TCP.
var kinds = map[string]string{
	"http":     "http", // WebSocket as well
	"grpc":     "grpc",
	"tcp":      "tcp",
	"greeting": "tcp",
	"tls":      "tcp",
	"deaf":     "http",
	// Servers of gRPC whose Service declares another protocol, or none.
	"grpc-as-http": "http",
	"grpc-as-any":  "any",
}

// Spire is the scenario in whose meshes SPIRE's agent issues the certificates of workloads.
const Spire = "spire"

// groundObjects exist in every mesh: the namespaces of all meshes, since a local name may equal the name of the
// exported service, with sidecars for their pods, and mutual TLS everywhere.
func groundObjects() []*unstructured.Unstructured {
	text := `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
`
	names := []string{"catalogue", "istio-ingress"} // only of a binding; of an existing gateway
	for _, meshes := range append(slices.Collect(maps.Values(ofScenario)), ofEveryScenario) {
		for _, apps := range meshes {
			for _, a := range apps {
				namespace, _, _ := strings.Cut(a.name, "/")
				names = append(names, namespace)
			}
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		text += fmt.Sprintf("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {istio-injection: enabled}}\n", name)
	}
	return must(mesh.Objects(text))
}

// appsOf are the applications of a scenario in a mesh.
func appsOf(scenario, meshName string) []*unstructured.Unstructured {
	text := ""
	for _, a := range slices.Concat(ofEveryScenario[meshName], ofScenario[scenario][meshName]) {
		if scenario == "bookinfo" && len(a.ports) > 0 || a.name == "default/productpage" && scenario == "bookinfo" {
			continue // it brings its own
		}
		if scenario == HostileMeshConfig {
			a.visibleTo = "*"
			text += a.ownersRule()
		}
		a.spire = scenario == Spire
		text += a.manifests()
	}
	if scenario == HostileMeshConfig {
		text += hostileRootObjects
	}
	if scenario == "existing-gateways" && meshName != "north" {
		text += sharedGateway + SharedListeners + fmt.Sprintf(shopRoutes, map[string]string{"east": "ratings", "west": "details"}[meshName])
	}
	if scenario == "spellings" && meshName == "north" {
		text += sharedGateway
	}
	return must(mesh.Objects(text))
}

func (a app) manifests() string {
	namespace, name, _ := strings.Cut(a.name, "/")
	inject := "true"
	if a.noSidecar {
		inject = "false"
	}
	listen := []string{"--http", `"8000"`} // without a Service: the program also runs in pods that only call
	var services []string
	for i, p := range a.ports {
		if i == 0 {
			listen = nil
		}
		server, _, _ := strings.Cut(p.kind, "-as-")
		listen = append(listen, "--"+server, strconv.Quote(strconv.Itoa(p.number)))
		services = append(services, fmt.Sprintf("{name: %[1]s-%[2]d, port: %[2]d, appProtocol: %[1]s}", kinds[p.kind], p.number))
	}
	if a.silent {
		listen = append(listen, "--silent")
	}
	annotations := ""
	if a.dnsProxy {
		annotations = `{proxy.istio.io/config: "proxyMetadata: {ISTIO_META_DNS_CAPTURE: \"true\"}"}`
	}
	if a.spire {
		annotations = `{inject.istio.io/templates: "sidecar,spire"}`
	}
	replicas := 1
	if a.noPods {
		replicas = 0
	}
	text := fmt.Sprintf(`---
apiVersion: v1
kind: ServiceAccount
metadata: {name: %[3]s, namespace: %[1]s}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  replicas: %[7]d
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata:
      labels: {app: %[2]s, sidecar.istio.io/inject: "%[4]s"}
      annotations: %[6]s
    spec:
      serviceAccountName: %[3]s
      terminationGracePeriodSeconds: 2
      containers:
      - name: app
        image: mesh-federation-lab/app
        args: [serve, %[5]s]
`, namespace, name, a.account, inject, strings.Join(listen, ", "), annotations, replicas)
	if len(services) > 0 {
		headless := ""
		if a.headless {
			headless = "clusterIP: None"
		}
		text += fmt.Sprintf(`---
apiVersion: v1
kind: Service
metadata: {name: %[2]s, namespace: %[1]s%[4]s}
spec:
  selector: {app: %[2]s}
  ports: [%[3]s]
  %[5]s
`, namespace, name, strings.Join(services, ", "), a.visibility(), headless)
	}
	return text
}

// visibility is the annotation of a Service that is not visible as MeshConfig says.
func (a app) visibility() string {
	if a.visibleTo == "" {
		return ""
	}
	return fmt.Sprintf(`, annotations: {networking.istio.io/exportTo: "%s"}`, a.visibleTo)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err) // the text is above, so an error is a bug
	}
	return value
}
