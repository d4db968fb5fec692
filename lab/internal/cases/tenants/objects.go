package tenants

import (
	"fmt"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// tenantAttack are objects that another tenant applies to a mesh.
type tenantAttack struct {
	name, mesh, what string
	objects          string   // the admission policy denies the first one
	refused          string   // the reason that the API server gives; empty when the admission policy has none
	check            func(*T) // an additional check after unharmed
	onlyRefused      bool     // another spelling of an attack that other cases test without the policy
}

const (
	ourIngress = "{istio: istio-federation-ingress}"
	ourEgress  = "{istio: istio-federation-egress}"

	ownPort     = `{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}`
	passThrough = `{port: {number: 15443, name: tls, protocol: TLS}, hosts: ["*.local"], tls: {mode: AUTO_PASSTHROUGH}}`
	sameName    = `{port: {number: 15443, name: https, protocol: HTTPS}, hosts: [` + ReviewsSNI + `], tls: {mode: SIMPLE, credentialName: "builtin://"}}`

	addsOrBlocks   = "would add or block listeners of the federation boundary gateways"
	changesProxies = "would change the proxies of the federation boundary gateways"
	attachesRoutes = "attaches routes to a federation boundary gateway"
	takesHost      = "takes a host name that belongs to the federation boundary"
	routesHost     = "routes a host that mesh west binds to another mesh"
	declaresHost   = "declares a host that mesh west binds to another mesh"
)

func foreignGateway(version, selector, server string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/%s
kind: Gateway
metadata: {name: foreign, namespace: tenant}
spec: {selector: %s, servers: [%s]}
`, version, selector, server)
}

// foreignRoutes route what the foreign Gateway accepts.
func foreignRoutes(host string) string {
	return fmt.Sprintf(`---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: foreign, namespace: tenant}
spec: {hosts: ["%s"], gateways: [foreign], http: [{route: [{destination: {host: reviews.default.svc.cluster.local, port: {number: 9080}}}]}]}
`, host)
}

// tenantRoute answers the callers of a host with 418.
func tenantRoute(namespace, host, exportTo string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: neighbour, namespace: %s}
spec: {hosts: ["%s"], exportTo: %s, http: [{directResponse: {status: 418}}]}
`, namespace, host, exportTo)
}

// tenantEntry is an entry that only its own namespace can see.
func tenantEntry(host string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: neighbour, namespace: tenant}
spec: {hosts: ["%s"], exportTo: ["."], ports: [{number: 9080, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 192.0.2.1}]}
`, host)
}

func routeOn(gateway, host string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: neighbour, namespace: tenant}
spec: {hosts: ["%s"], gateways: ["%s"], http: [{directResponse: {status: 418}}]}
`, host, gateway)
}

// abortFilter answers every request of a gateway with 418.
func abortFilter(namespace, selector string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: neighbour, namespace: %s}
spec:
  workloadSelector: %s
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.fault
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
          abort: {http_status: 418, percentage: {numerator: 100}}
`, namespace, selector)
}

// extension is a WasmPlugin, or the kind that replaces it.
func extension(kind, namespace, selector string) string {
	version, source := "v1alpha1", "url: \"oci://registry.example/neighbour:1\""
	if kind == "TrafficExtension" {
		source = "lua: {inlineCode: \"function envoy_on_request(handle) handle:respond({[':status'] = '418'}, '') end\"}"
	}
	return fmt.Sprintf(`apiVersion: extensions.istio.io/%s
kind: %s
metadata: {name: neighbour, namespace: %s}
spec: {%s, selector: {matchLabels: %s}}
`, version, kind, namespace, source, selector)
}

// deniedObjects are objects that the admission policy denies.
var deniedObjects = []tenantAttack{
	{name: "gateway-own-port", mesh: "east", what: "a Gateway that opens a port on our ingress gateway",
		objects: foreignGateway("v1", ourIngress, ownPort) + foreignRoutes("*"), refused: addsOrBlocks, check: ownPortClosed},
	{name: "gateway-passthrough", mesh: "east", what: "a Gateway that passes bytes through to every workload of the mesh",
		objects: foreignGateway("v1", ourIngress, passThrough), refused: addsOrBlocks, check: passThroughClosed},
	{name: "gateway-same-name", mesh: "east", what: "a Gateway that takes our SNI without client certificates",
		objects: foreignGateway("v1", ourIngress, sameName) + foreignRoutes(ReviewsSNI), refused: addsOrBlocks},
	{name: "gateway-v1alpha3", mesh: "east", what: "a Gateway of API version v1alpha3 that takes our SNI",
		objects: foreignGateway("v1alpha3", ourIngress, sameName) + foreignRoutes(ReviewsSNI), refused: addsOrBlocks},
	{name: "gateway-v1beta1", mesh: "east", what: "a Gateway of API version v1beta1 that opens a port on our ingress gateway",
		objects: foreignGateway("v1beta1", ourIngress, ownPort), refused: addsOrBlocks, onlyRefused: true},
	{name: "gateway-empty-selector", mesh: "east", what: "a Gateway that selects every gateway",
		objects: foreignGateway("v1", "{}", ownPort) + foreignRoutes("*"), refused: addsOrBlocks, check: ownPortClosed},
	{name: "gateway-other-label", mesh: "east", what: "a Gateway that selects our gateway by another label of its pods",
		objects: foreignGateway("v1", "{app: federation-ingress}", ownPort) + foreignRoutes("*"), refused: addsOrBlocks, check: ownPortClosed},
	{name: "gateway-injected-label", mesh: "east", what: "a Gateway that selects our gateway by a label that the injector adds",
		objects: foreignGateway("v1", "{service.istio.io/canonical-name: federation-ingress}", ownPort), refused: addsOrBlocks, onlyRefused: true},
	{name: "gateway-revision", mesh: "east", what: "a Gateway that selects every pod of a revision",
		objects: foreignGateway("v1", "{istio.io/rev: default}", ownPort) + foreignRoutes("*"), refused: addsOrBlocks, check: ownPortClosed},
	{name: "gateway-in-root", mesh: "east", what: "a Gateway of the root namespace with our selector",
		objects: `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: foreign, namespace: istio-system}
spec: {selector: {istio: istio-federation-ingress}, servers: [` + ownPort + `]}
`, refused: addsOrBlocks, check: ownPortClosed},
	{name: "gateway-egress", mesh: "west", what: "a Gateway with our egress gateway's selector",
		objects: foreignGateway("v1", ourEgress, ownPort) + foreignRoutes("*"), refused: addsOrBlocks},
	{name: "gateway-egress-same-name", mesh: "west", what: "a Gateway that takes the SNI of the binding",
		objects: foreignGateway("v1", ourEgress, `{port: {number: 15443, name: https, protocol: HTTPS}, hosts: [`+BindingSNI+`], tls: {mode: ISTIO_MUTUAL}}`), refused: addsOrBlocks},

	{name: "route-on-gateway", mesh: "east", what: "a VirtualService attached to our Gateway",
		objects: routeOn("istio-federation/fed-in-west", "*"), refused: attachesRoutes},
	{name: "route-on-gateway-host", mesh: "east", what: "a VirtualService attached to our Gateway, with our SNI as host",
		objects: routeOn("istio-federation/fed-in-west", ReviewsSNI), refused: "federation boundary"},
	{name: "route-on-gateway-short", mesh: "east", what: "a VirtualService attached to our Gateway by the name with a dot",
		objects: routeOn("fed-in-west.istio-federation", "*"), refused: attachesRoutes},
	{name: "route-on-gateway-long", mesh: "east", what: "a VirtualService attached to our Gateway by its full domain name",
		objects: routeOn("fed-in-west.istio-federation.svc.cluster.local", "*"), refused: attachesRoutes, onlyRefused: true},
	{name: "route-on-egress", mesh: "west", what: "a VirtualService attached to our egress Gateway",
		objects: routeOn("istio-federation/fed-out-east", "*"), refused: attachesRoutes},
	{name: "route-for-sni", mesh: "east", what: "a VirtualService for a host below our trust domain",
		objects: tenantRoute("tenant", ReviewsSNI, `["*"]`), refused: takesHost},
	{name: "route-for-peers-sni", mesh: "west", what: "a VirtualService for the SNI of the peer's export",
		objects: tenantRoute("tenant", ReviewsSNI, `["*"]`), refused: takesHost},
	{name: "route-for-binding", mesh: "west", what: "a VirtualService for the SNI of the binding",
		objects: tenantRoute("tenant", BindingSNI, `["*"]`), refused: takesHost},
	{name: "route-upper-case", mesh: "west", what: "a VirtualService for the SNI of the binding in upper case",
		objects: tenantRoute("tenant", "P9080.Reviews.Default.East.Egress.Fed.West.Example", `["*"]`), refused: takesHost, onlyRefused: true},
	{name: "route-for-local-name", mesh: "west", what: "a VirtualService for the local name",
		objects: tenantRoute("tenant", ReviewsHost, `["*"]`), refused: routesHost},
	{name: "route-for-local-name-default", mesh: "west", what: "a VirtualService for the local name without exportTo",
		objects: tenantRoute("tenant", "reviews.default.svc.cluster.local", `[]`), refused: routesHost, onlyRefused: true},
	{name: "route-for-local-name-root", mesh: "west", what: "a VirtualService for the local name in the root namespace",
		objects: tenantRoute("istio-system", ReviewsHost, `["*"]`), refused: routesHost},
	{name: "route-for-local-name-here", mesh: "west", what: "a VirtualService for the local name in its own namespace, by the short name",
		objects: tenantRoute("default", "reviews", `["."]`), refused: routesHost, onlyRefused: true},

	{name: "entry-for-local-name", mesh: "west", what: "a ServiceEntry for the local name, though only its own namespace can see it",
		objects: tenantEntry(ReviewsHost), refused: declaresHost, onlyRefused: true},
	{name: "entry-for-peer", mesh: "west", what: "a ServiceEntry for the SNI of the peer's export",
		objects: tenantEntry(ReviewsSNI), refused: takesHost, onlyRefused: true},

	{name: "filter-on-gateway", mesh: "east", what: "an EnvoyFilter with our selector in a tenant's namespace",
		objects: abortFilter("tenant", "{labels: "+ourIngress+"}"), refused: changesProxies},
	{name: "filter-on-egress", mesh: "west", what: "an EnvoyFilter with the egress gateway's selector in a tenant's namespace",
		objects: abortFilter("tenant", "{labels: "+ourEgress+"}"), refused: changesProxies},
	{name: "filter-in-root", mesh: "east", what: "an EnvoyFilter with our selector in the root namespace",
		objects: abortFilter("istio-system", "{labels: "+ourIngress+"}"), refused: changesProxies, onlyRefused: true},
	{name: "filter-inside", mesh: "east", what: "an EnvoyFilter of another tenant in our own namespace",
		objects: abortFilter("istio-federation", "{labels: {app: something-else}}"), refused: changesProxies, onlyRefused: true},
	{name: "filter-inside-all", mesh: "east", what: "an EnvoyFilter for every workload of our own namespace",
		objects: abortFilter("istio-federation", "{}"), refused: changesProxies, onlyRefused: true},
	{name: "wasm", mesh: "east", what: "a WasmPlugin with our selector in the root namespace",
		objects: extension("WasmPlugin", "istio-system", ourIngress), refused: changesProxies, onlyRefused: true},
	{name: "wasm-tenant", mesh: "east", what: "a WasmPlugin with our selector in a tenant's namespace",
		objects: extension("WasmPlugin", "tenant", ourIngress), refused: changesProxies},
	{name: "extension", mesh: "east", what: "a TrafficExtension with our selector in the root namespace",
		objects: extension("TrafficExtension", "istio-system", ourIngress), refused: changesProxies, onlyRefused: true},
	{name: "extension-tenant", mesh: "east", what: "a TrafficExtension with our selector in a tenant's namespace",
		objects: extension("TrafficExtension", "tenant", ourIngress), refused: changesProxies},
}

// acceptedObjects are objects that the admission policy allows, because they do not affect the boundary.
var acceptedObjects = []tenantAttack{
	{name: "own-gateway", mesh: "east", what: "a tenant's Gateway with its own selector",
		objects: foreignGateway("v1", "{istio: tenants-own}", ownPort) + foreignRoutes("shop.tenant.example")},
	{name: "own-route", mesh: "west", what: "a tenant's VirtualService for its own host",
		objects: tenantRoute("tenant", "shop.tenant.svc.cluster.local", `["*"]`)},
	{name: "local-name-for-itself", mesh: "west", what: "a tenant's VirtualService for the local name that only its own namespace imports",
		objects: tenantRoute("tenant", ReviewsHost, `["."]`)},
	{name: "wildcard-route", mesh: "west", what: "a wildcard VirtualService over the local name, which loses against ours",
		objects: tenantRoute("tenant", "*.default.svc.cluster.local", `["*"]`)},
	{name: "own-filter", mesh: "east", what: "a tenant's EnvoyFilter for its own workloads",
		objects: abortFilter("tenant", "{labels: {app: tenant}}")},
	{name: "own-filter-all", mesh: "east", what: "a tenant's EnvoyFilter for its whole namespace",
		objects: abortFilter("tenant", "{}")},
	{name: "mesh-wide-filter", mesh: "east", what: "the mesh owner's EnvoyFilter for every workload",
		objects: `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: neighbour, namespace: istio-system}
spec: {configPatches: [{applyTo: LISTENER, match: {context: SIDECAR_INBOUND, listener: {portNumber: 1}}, patch: {operation: MERGE, value: {}}}]}
`},
}

// ownPortClosed dials the gateway's pod from a pod of the same mesh, without its Service.
func ownPortClosed(t *T) {
	t.Want(TenantPod, "refused", traffic.Probe{Kind: "tcp", URL: "tcp://" + PodIP(t, t.East, "istio-federation/federation-ingress") + ":8080"})
}

func passThroughClosed(t *T) { t.Want(Outside, "reset | closed", IntoMesh) }
