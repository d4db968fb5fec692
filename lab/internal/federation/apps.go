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
	name    string // namespace/name
	account string
	ports   []port
	plain   bool // without a sidecar
	asks    bool // Istio's DNS proxy for names
	silent  bool // without a line for each request
}

// port is one that an application listens on, and what it speaks there.
type port struct {
	kind   string
	number int
}

// kinds are the options of `app serve`, and what a Service says of such a port: whoever greets first, or has TLS of its own, is TCP to Istio.
var kinds = map[string]string{
	"http":     "http", // WebSocket as well
	"grpc":     "grpc",
	"tcp":      "tcp",
	"greeting": "tcp",
	"tls":      "tcp",
	"deaf":     "http",
}

// always are the applications that are there in every scenario: somebody to call, somebody who may not, somebody without a sidecar.
var always = map[string][]app{
	"east": {
		{name: "default/reviews", account: "bookinfo-reviews", ports: []port{{"http", 9080}}},
		{name: "default/ratings", account: "bookinfo-ratings", ports: []port{{"http", 9080}}},
	},
	"west": {
		{name: "default/productpage", account: "bookinfo-productpage"},
		{name: "default/other", account: "other"},
		{name: "elsewhere/visitor", account: "visitor"},
		{name: "plain/plain", account: "plain", plain: true},
	},
}

// spoken are the ports of a backend that is measured.
var spoken = []port{{"http", 8080}, {"grpc", 9090}, {"tcp", 7001}}

// in are those that one scenario needs in addition. Their namespaces are there in every mesh and in every scenario.
var in = map[string]map[string][]app{
	"renamed-everything": {
		"east": {{name: "accounts/withdraw", account: "withdraw", ports: []port{{"http", 8080}}}},
		"west": {{name: "finance/checkout", account: "checkout"}},
	},
	"three-meshes": {
		"east":  {{name: "books/ledger", account: "ledger", ports: []port{{"http", 8080}, {"http", 9090}}}},
		"west":  {{name: "west/client", account: "client"}, {name: "partners/batch", account: "batch"}},
		"north": {{name: "north/client", account: "client"}},
	},
	"both-directions": {
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"peer-options": {
		"east":  {{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}}},
		"west":  {{name: "shop/api", account: "api"}, {name: "shop/other", account: "other"}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"protocols": {
		"east": {
			{name: "chat/chat", account: "chat", ports: []port{{"http", 8080}}},
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
			{name: "events/echo", account: "echo", ports: []port{{"tcp", 7000}}},
			{name: "multi/multi", account: "multi", ports: []port{{"http", 8080}, {"grpc", 9090}, {"tcp", 7001}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
			{name: "vault/vault", account: "vault", ports: []port{{"tls", 8200}}},
		},
		"west": {
			{name: "shop/api", account: "api"},
			{name: "shop/other", account: "other"},
			{name: "shop/resolver", account: "api", asks: true},
			{name: "shop/nosy", account: "other", asks: true},
			{name: "elsewhere/resolver", account: "resolver", asks: true},
		},
	},
	"held": {
		"east": {
			{name: "chat/chat", account: "chat", ports: []port{{"http", 8080}}},
			{name: "chat/sink", account: "sink", ports: []port{{"deaf", 8070}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
			{name: "events/echo", account: "echo", ports: []port{{"tcp", 7000}}},
		},
		"west":  {{name: "shop/api", account: "api"}, {name: "shop/batch", account: "batch"}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"second-boundary": {
		"east": {{name: "partners/client", account: "client"}},
		"west": {
			{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}},
			{name: "partners/client", account: "client"},
		},
		"north": {
			{name: "default/ratings", account: "bookinfo-ratings", ports: []port{{"http", 9080}}},
			{name: "partners/client", account: "client"},
		},
	},
	"several-sources": {
		"east": {
			{name: "default/reviews-v2", account: "bookinfo-reviews", ports: []port{{"http", 9080}}},
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
		},
		"west": {
			{name: "default/reviews", account: "bookinfo-reviews", ports: []port{{"http", 9080}, {"http", 9081}}},
			{name: "shop/api", account: "api"},
			{name: "shop/other", account: "other"},
		},
		"north": {
			{name: "default/reviews", account: "bookinfo-reviews", ports: []port{{"http", 9080}}},
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
		},
	},
	"locked": {
		"east": {
			{name: "accounts/withdraw", account: "withdraw", ports: []port{{"http", 8080}}},
			{name: "accounts/teller", account: "teller"},
			{name: "accounts/other", account: "other"},
			{name: "accounts/plain", account: "teller", plain: true},
			{name: "books/ledger", account: "ledger"},
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
		},
		"west": {
			{name: "finance/checkout", account: "checkout"},
			{name: "finance/resolver", account: "checkout", asks: true},
			{name: "finance/prices", account: "prices", ports: []port{{"http", 8080}}},
			{name: "shop/other", account: "other"},
		},
	},
	"existing-gateways": {
		"east": {{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}}},
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"gateway-namespaces": {
		"east": {{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}}},
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"separate-authorities": {
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"roots-kept-by-others": {
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"tokens": {
		"east": {
			{name: "shop/orders", account: "orders", ports: []port{{"http", 8080}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
		},
		"west":  {{name: "shop/api", account: "api"}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"monitored": {
		"east":  {{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}}, {name: "monitoring/prometheus", account: "prometheus", plain: true}},
		"west":  {{name: "shop/api", account: "api"}, {name: "shop/batch", account: "batch"}, {name: "shop/other", account: "other"}, {name: "monitoring/prometheus", account: "prometheus", plain: true}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"bench": { // west's caller is in internal/bench, with what it needs there
		"east": {
			{name: "bench/backend", account: "backend", ports: spoken, silent: true},
			{name: "bench/plain-backend", account: "backend", ports: spoken, silent: true, plain: true},
			{name: "bench/plain-client", account: "client", plain: true},
		},
	},
	"spellings": {
		"west":  {{name: "shop/api", account: "api"}, {name: "shop/other", account: "other"}},
		"north": {{name: "default/ratings", account: "bookinfo-ratings", ports: []port{{"http", 9080}}}},
	},
	"two-peers": {
		"west":  {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
		"north": {{name: "default/ratings", account: "bookinfo-ratings", ports: []port{{"http", 9080}}}, {name: "north/client", account: "client"}},
	},
}

// ground is what every mesh has: the namespaces of all meshes, since a binding may be called as the service is at home, with sidecars for
// their pods, and mutual TLS everywhere.
func ground() []*unstructured.Unstructured {
	text := `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
`
	names := []string{"catalogue", "istio-ingress"} // only of a binding; of a gateway that somebody else runs
	for _, meshes := range append(slices.Collect(maps.Values(in)), always) {
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
	for _, a := range slices.Concat(always[meshName], in[scenario][meshName]) {
		if scenario == "bookinfo" && len(a.ports) > 0 || a.name == "default/productpage" && scenario == "bookinfo" {
			continue // it brings its own
		}
		text += a.manifests()
	}
	if scenario == "existing-gateways" && meshName != "north" {
		text += shared + SharedListeners + fmt.Sprintf(shop, map[string]string{"east": "ratings", "west": "details"}[meshName])
	}
	if scenario == "spellings" && meshName == "north" {
		text += shared
	}
	return must(mesh.Objects(text))
}

// shared is a gateway that somebody else runs, for everybody: a shop on a port of its own, and once more on ours, routed by the shop's people.
// It believes and passes on what clients say of themselves, as badly as it can be set.
const shared = `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: shared, namespace: istio-ingress}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shared, namespace: istio-ingress}
spec:
  replicas: 1
  selector: {matchLabels: {app: shared}}
  template:
    metadata:
      labels: {app: shared, istio: shared, sidecar.istio.io/inject: "true"}
      annotations:
        inject.istio.io/templates: gateway
        proxy.istio.io/config: "gatewayTopology: {forwardClientCertDetails: ALWAYS_FORWARD_ONLY, numTrustedProxies: 2}"
    spec:
      serviceAccountName: shared
      terminationGracePeriodSeconds: 2
      containers: [{name: istio-proxy, image: auto}]
---
apiVersion: v1
kind: Service
metadata: {name: shared, namespace: istio-ingress}
spec:
  type: LoadBalancer
  selector: {app: shared}
  ports: [{name: tls-federation, port: 443, targetPort: 15443}, {name: http, port: 8080, targetPort: 8080}]
`

// SharedListeners are those of others on the gateway that somebody else runs.
const SharedListeners = `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: istio-ingress, annotations: {galley.istio.io/analyze-suppress: "IST0101,IST0138"}}
spec:
  selector: {istio: shared}
  servers:
  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: 15443, name: https, protocol: HTTPS}, hosts: [shop.example], tls: {mode: SIMPLE, credentialName: "builtin://"}}
`

const shop = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop.example]
  gateways: [istio-ingress/public]
  http: [{route: [{destination: {host: %s.default.svc.cluster.local, port: {number: 9080}}}]}]
`

func (a app) manifests() string {
	namespace, name, _ := strings.Cut(a.name, "/")
	inject := "true"
	if a.plain {
		inject = "false"
	}
	listen := []string{"--http", `"8000"`} // nobody's Service: the program runs in the pods of those who only call as well
	var services []string
	for i, p := range a.ports {
		if i == 0 {
			listen = nil
		}
		listen = append(listen, "--"+p.kind, strconv.Quote(strconv.Itoa(p.number)))
		services = append(services, fmt.Sprintf("{name: %[1]s-%[2]d, port: %[2]d, appProtocol: %[1]s}", kinds[p.kind], p.number))
	}
	if a.silent {
		listen = append(listen, "--silent")
	}
	annotations := ""
	if a.asks {
		annotations = `{proxy.istio.io/config: "proxyMetadata: {ISTIO_META_DNS_CAPTURE: \"true\"}"}`
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
      annotations: %[6]s
    spec:
      serviceAccountName: %[3]s
      terminationGracePeriodSeconds: 2
      containers:
      - name: app
        image: mesh-federation-lab/app
        args: [serve, %[5]s]
`, namespace, name, a.account, inject, strings.Join(listen, ", "), annotations)
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
