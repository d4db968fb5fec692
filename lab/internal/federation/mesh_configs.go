package federation

import (
	"fmt"
	"strings"
)

// HostileMeshConfig is the scenario in whose meshes MeshConfig and the root namespace change as many defaults as istiod
// accepts.
const HostileMeshConfig = "hostile-mesh-config"

// meshConfigs are settings of MeshConfig beside those of the charts, by scenario. docs/how-to/mesh-config.md lists what
// each does to a boundary.
var meshConfigs = map[string]string{HostileMeshConfig: `
# one response of 5xx ejects every address for five minutes, and there is one connection with one request
defaultTrafficPolicy:
  outlierDetection: {consecutive5xxErrors: 1, consecutiveGatewayErrors: 1, interval: 1s, baseEjectionTime: 300s, maxEjectionPercent: 100}
  connectionPool:
    tcp: {maxConnections: 1}
    http: {http1MaxPendingRequests: 1, http2MaxRequests: 1, maxRequestsPerConnection: 1, h2UpgradePolicy: DO_NOT_UPGRADE}
# no address is where traffic must go
localityLbSetting: {enabled: true, distribute: [{from: "*", to: {"nowhere/*": 100}}]}
# nothing is visible in another namespace, and in no namespace that lacks a label
defaultServiceExportTo: ["."]
defaultVirtualServiceExportTo: ["."]
defaultDestinationRuleExportTo: ["."]
serviceEntryVisibility: {applyToSidecars: true, defaultVisibility: NAMESPACE}
discoverySelectors:
- {matchLabels: {istio-injection: enabled}}
- {matchLabels: {istio-discovery: enabled}}
- {matchLabels: {kubernetes.io/metadata.name: istio-system}} # otherwise the objects below have no effect
outboundTrafficPolicy: {mode: REGISTRY_ONLY}
defaultHttpRetryPolicy: {attempts: 3, retryOn: 5xx}
enableAutoMtls: false
pathNormalization: {normalization: NONE}
tlsDefaults: {minProtocolVersion: TLSV1_2, cipherSuites: [ECDHE-RSA-AES256-GCM-SHA384], ecdhCurves: [P-256]}
meshMTLS: {minProtocolVersion: TLSV1_3}
h2UpgradePolicy: UPGRADE
connectTimeout: 1s
tcpKeepalive: {time: 10s, interval: 5s, probes: 2}
ingressControllerMode: STRICT
ingressClass: hostile
# the peer's trust domain becomes a name for our own
trustDomainAliases: [east.example, west.example, old.example]
extensionProviders:
- name: decisions
  envoyExtAuthzHttp: {service: decisions.decisions.svc.cluster.local, port: 8000, pathPrefix: "/allowed?path="}
defaultConfig:
  holdApplicationUntilProxyStarts: true
  proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true", EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true", MINIMUM_DRAIN_DURATION: 3600s}
  # connections of a withdrawn grant would live for a day
  drainDuration: 86400s
  terminationDrainDuration: 3600s
  runtimeValues: {outlier_detection.consecutive_5xx: "1", upstream.use_retry: "0"}
  gatewayTopology: {numTrustedProxies: 2, forwardClientCertDetails: ALWAYS_FORWARD_ONLY}
  proxyHeaders: {requestId: {disabled: true}, server: {value: hostile}, forwardedClientCert: ALWAYS_FORWARD_ONLY}
`, "traced": `
defaultProviders: {tracing: [spans]}
defaultConfig: {tracing: {sampling: 100}}
extensionProviders:
- name: spans
  opentelemetry: {service: collector.spans.svc.cluster.local, port: 4318, http: {path: /v1/traces, timeout: 5s}}
`}

// hostileRootObjects are policies for the whole mesh: everybody may do everything, an external service decides about
// every HTTP request, nothing is logged, and sidecars know their own namespace only.
const hostileRootObjects = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: everybody, namespace: istio-system}
spec: {rules: [{}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: decisions, namespace: istio-system}
spec: {action: CUSTOM, provider: {name: decisions}, rules: [{to: [{operation: {paths: ["/*"]}}]}]}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: silence, namespace: istio-system}
spec: {accessLogging: [{providers: [{name: envoy}], disabled: true}]} # without a name, it would disable no log
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: istio-system}
spec:
  egress: [{hosts: ["./*", "istio-system/*", "decisions/*"]}]
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: everywhere, namespace: istio-system}
spec: {concurrency: 1, environmentVariables: {LAB_MESH_WIDE: "true"}}
`

// ownersRule is what the owner of an exported Service writes in such a mesh, as the documentation says.
func (a app) ownersRule() string {
	if len(a.ports) == 0 {
		return ""
	}
	mode := "ISTIO_MUTUAL"
	if a.noSidecar {
		mode = "DISABLE"
	}
	namespace, name, _ := strings.Cut(a.name, "/")
	return fmt.Sprintf(`---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  host: %[2]s.%[1]s.svc.cluster.local
  exportTo: ["*"]
  trafficPolicy:
    connectionPool: {tcp: {connectTimeout: 10s}}
    outlierDetection: {consecutive5xxErrors: 0}
    loadBalancer: {localityLbSetting: {enabled: false}}
    tls: {mode: %[3]s}
`, namespace, name, mode)
}
