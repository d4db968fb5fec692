package federation

// sharedGateway is an existing gateway that another team operates: a shop at a port of its own, and once more at ours,
// with the operator's routes. It trusts and forwards what clients send about themselves, which is the worst possible
// configuration.
const sharedGateway = `---
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

// SharedListeners are the operator's listeners on the existing gateway.
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

const shopRoutes = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop.example]
  gateways: [istio-ingress/public]
  http: [{route: [{destination: {host: %s.default.svc.cluster.local, port: {number: 9080}}}]}]
`
