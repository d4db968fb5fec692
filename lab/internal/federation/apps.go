package federation

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// app is one application of a mesh: a Deployment of the lab's server with one pod, and a Service if it listens.
type app struct {
	name    string // namespace/name
	account string
	ports   []int
	plain   bool // without a sidecar
}

// always are the applications that are there in every scenario: somebody to call, somebody who may not, somebody without a sidecar.
var always = map[string][]app{
	"east": {
		{name: "default/reviews", account: "bookinfo-reviews", ports: []int{9080}},
		{name: "default/ratings", account: "bookinfo-ratings", ports: []int{9080}},
	},
	"west": {
		{name: "default/productpage", account: "bookinfo-productpage"},
		{name: "default/other", account: "other"},
		{name: "elsewhere/visitor", account: "visitor"},
		{name: "plain/plain", account: "plain", plain: true},
	},
}

// in are those that one scenario needs in addition.
var in = map[string]map[string][]app{
	"renamed-everything": {
		"east": {{name: "accounts/withdraw", account: "withdraw", ports: []int{8080}}},
		"west": {{name: "finance/checkout", account: "checkout"}},
	},
	"three-meshes": {
		"east":  {{name: "books/ledger", account: "ledger", ports: []int{8080, 9090}}},
		"west":  {{name: "west/client", account: "client"}, {name: "partners/batch", account: "batch"}},
		"north": {{name: "north/client", account: "client"}},
	},
	"both-directions": {
		"west": {{name: "default/details", account: "bookinfo-details", ports: []int{9080}}},
	},
}

// ground is what every mesh has: namespaces whose pods get a sidecar, and mutual TLS everywhere.
func ground(meshName string) []*unstructured.Unstructured {
	text := `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
`
	seen := map[string]bool{}
	apps := always[meshName]
	for _, more := range in {
		apps = append(apps[:len(apps):len(apps)], more[meshName]...)
	}
	for _, namespace := range append(namespacesOf(apps), "default", "catalogue", "partners") { // the last two: only names of others' services
		if !seen[namespace] {
			text += fmt.Sprintf("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {istio-injection: enabled}}\n", namespace)
		}
		seen[namespace] = true
	}
	return must(mesh.Objects(text))
}

func namespacesOf(apps []app) []string {
	var names []string
	for _, a := range apps {
		namespace, _, _ := strings.Cut(a.name, "/")
		names = append(names, namespace)
	}
	return names
}

// appsOf are the applications of a scenario in a mesh.
func appsOf(scenario, meshName string) []*unstructured.Unstructured {
	text := ""
	for _, a := range slices.Concat(always[meshName], in[scenario][meshName]) {
		if scenario == "bookinfo" && len(a.ports) > 0 || a.name == "default/productpage" && scenario == "bookinfo" {
			continue // it brings its own
		}
		text += a.manifests()
	}
	return must(mesh.Objects(text))
}

func (a app) manifests() string {
	namespace, name, _ := strings.Cut(a.name, "/")
	inject := "true"
	if a.plain {
		inject = "false"
	}
	listen := []string{"8000"} // nobody's Service: the program runs in the pods of those who only call as well
	var services []string
	for i, port := range a.ports {
		if i == 0 {
			listen = nil
		}
		listen = append(listen, fmt.Sprint(port))
		services = append(services, fmt.Sprintf("{name: http-%d, port: %d, appProtocol: http}", port, port))
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
  replicas: 1
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata:
      labels: {app: %[2]s, sidecar.istio.io/inject: "%[4]s"}
    spec:
      serviceAccountName: %[3]s
      terminationGracePeriodSeconds: 2
      containers:
      - name: app
        image: mesh-federation-lab/app
        args: [serve, --http, "%[5]s"]
`, namespace, name, a.account, inject, strings.Join(listen, ","))
	if len(services) > 0 {
		text += fmt.Sprintf(`---
apiVersion: v1
kind: Service
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  selector: {app: %[2]s}
  ports: [%[3]s]
`, namespace, name, strings.Join(services, ", "))
	}
	return text
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err) // the text stands above: it is wrong for everybody or for nobody
	}
	return value
}
