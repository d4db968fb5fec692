package mutations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// forgottenGrant is a second TLS server for west at east's gateway without a grant, by a user with access to the
// boundary's namespace.
const forgottenGrant = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: forgotten, namespace: istio-federation}
spec:
  selector: {istio: istio-federation-ingress}
  servers:
  - port: {number: %d, name: https-forgotten, protocol: HTTPS}
    hosts: [./%s]
    tls:
      mode: MUTUAL
      credentialName: builtin://
      caCertCredentialName: configmap://istio-federation/fed-in-trust-west
      subjectAltNames: [spiffe://west.example/ns/istio-federation/sa/federation-egress]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: forgotten, namespace: istio-federation}
spec:
  hosts: [%s]
  gateways: [forgotten]
  http: [{route: [{destination: {host: ratings.default.svc.cluster.local, port: {number: 9080}}}]}]
`

// foreignListener is another tenant's listener on a boundary gateway.
const foreignListener = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: foreign, namespace: istio-federation}
spec:
  selector: {istio: istio-federation-%s}
  servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: foreign, namespace: istio-federation}
spec:
  hosts: ["*"]
  gateways: [foreign]
  http: [{directResponse: {status: 299}}]
`

// tenantsRoutes are a tenant's routes on our Gateway.
const tenantsRoutes = `apiVersion: v1
kind: Namespace
metadata: {name: tenant}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: foreign, namespace: tenant}
spec:
  hosts: [p9080.reviews.west.fed.east.example]
  gateways: [istio-federation/fed-in-west]
  http: [{match: [{uri: {prefix: /admin}}], directResponse: {status: 299}}]
`

// podPort calls a gateway pod directly, from a workload of the same mesh.
func podPort(from From, app string, port int) Attempt {
	return Attempt{From: from, Probe: func(f *federation.Federation) traffic.Probe {
		pod, err := f.Mesh(from.Mesh).Pod(context.Background(), federation.Boundary+"/"+app)
		if err != nil {
			panic(err)
		}
		return traffic.Probe{URL: fmt.Sprintf("http://%s:%d/reviews/0", pod.Status.PodIP, port)}
	}}
}

// proxyConfig reports whether the configuration of a proxy of west contains a text.
func proxyConfig(workload, text string) Attempt {
	return Attempt{Do: func(ctx context.Context, f *federation.Federation) string {
		dump, err := f.West.Admin(ctx, workload, "config_dump")
		if err != nil {
			return err.Error()
		}
		if strings.Contains(dump, text) {
			return "sees " + text
		}
		return "does not see " + text
	}}
}

// admits reports whether the API server accepts an object.
func admits(meshName, text string) Attempt {
	return Attempt{Do: func(ctx context.Context, f *federation.Federation) string {
		objects, err := mesh.Objects(text)
		if err != nil {
			return err.Error()
		}
		if _, refused := f.Mesh(meshName).Refuses(ctx, objects[0]); refused {
			return "refused"
		}
		return "accepted"
	}}
}

// forgedHeadersArriving lists the forged headers that reach the backend, without an application's own ones.
func forgedHeadersArriving(from From, base func(*federation.Federation) traffic.Probe) Attempt {
	return Attempt{
		From: from,
		Probe: func(f *federation.Federation) traffic.Probe {
			return WithForgedHeaders(base(f), ForgedHeaders(f))
		},
		Read: func(answer traffic.Answer) string {
			if answer.Seen == nil {
				return answer.Outcome()
			}
			var arrived []string
			for _, one := range append([]traffic.Answer{answer}, answer.Then...) {
				if one.Seen == nil {
					return one.Outcome()
				}
				for _, h := range one.Seen.Header {
					if strings.Contains(h[1], Forgery) && !slices.Contains(OwnWords, h[0]) {
						arrived = append(arrived, h[0])
					}
				}
			}
			slices.Sort(arrived)
			return "arrives: " + strings.Join(slices.Compact(arrived), " ")
		},
	}
}

// answerHeaderNames lists the headers of an answer that reach a peer.
func answerHeaderNames() Attempt {
	return Attempt{
		From: Outside,
		Probe: ToIngress(GenuineWest, func(p *traffic.Probe) {
			p.URL += "?header=Via:internal&header=X-Envoy-Upstream-Canary:internal&header=X-Envoy-Decorator-Operation:internal"
		}),
		Read: func(answer traffic.Answer) string {
			var names []string
			for _, h := range answer.Header {
				switch h[0] {
				case "content-length", "content-type", "date":
				case "server":
					names = append(names, "server: "+h[1])
				default:
					names = append(names, h[0])
				}
			}
			return "answers with: " + strings.Join(slices.Compact(names), " ")
		},
	}
}
