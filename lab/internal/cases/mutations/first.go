package mutations

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/edits"
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

const anyTenant = "default" // any namespace that is not the boundary's

// eastProtections are the protections of the exporting mesh.
func eastProtections() []Mutation {
	gateway := func(name string, change func(*unstructured.Unstructured), more Mutation) Mutation {
		more.Name, more.Guarantees, more.Mesh, more.Kind, more.Object, more.Change = "east/gateway/"+name, guarantee.ServerPerPeer, "east", "Gateway", "fed-in-west", change
		return more
	}
	policy := func(name, object string, change func(*unstructured.Unstructured), more Mutation) Mutation {
		more.Name, more.Guarantees, more.Mesh, more.Kind, more.Object, more.Change = "east/policy/"+name, guarantee.TwoControls, "east", "AuthorizationPolicy", object, change
		return more
	}
	rules := func(name string, change func(*unstructured.Unstructured), more Mutation) Mutation {
		more.Name, more.Guarantees, more.Mesh, more.Kind, more.Object, more.Change = "east/rules/"+name, guarantee.TwoControls, "east", "EnvoyFilter", "fed-in-edge", change
		return more
	}
	route := func(name string, change func(*unstructured.Unstructured), more Mutation) Mutation {
		more.Name, more.Guarantees, more.Mesh, more.Kind, more.Object, more.Change = "east/route/"+name, guarantee.TwoControls, "east", "VirtualService", "fed-in-reviews-9080-west", change
		if more.Extra != nil {
			more.Guarantees = guarantee.NothingInternal
		}
		return more
	}
	open := map[string]string{"east": AllowAnything}
	second, ofOthers := "p9080.ratings.west.fed.east.example", "p9080.ratings.north.fed.east.example"
	asking := func(name string) Attempt {
		return Attempt{From: Outside, Probe: ToIngress(GenuineWest, WithSNI(name), func(p *traffic.Probe) { p.URL = "https://" + name + "/reviews/0" })}
	}
	forgotten := func(name string) map[string]string {
		return map[string]string{"east": fmt.Sprintf(forgottenGrant, 15443, name, name)}
	}
	return []Mutation{
		gateway("identity", edits.WithoutField("spec/servers/0/tls/subjectAltNames"), Mutation{}),
		gateway("client-certificate", func(o *unstructured.Unstructured) {
			edits.WithField("spec/servers/0/tls/mode", "SIMPLE")(o)
			edits.WithoutField("spec/servers/0/tls/caCertCredentialName", "spec/servers/0/tls/subjectAltNames")(o)
		}, Mutation{}),
		gateway("tls-version", edits.WithoutField("spec/servers/0/tls/minProtocolVersion"), Mutation{}),
		gateway("own-routes-only", edits.WithField("spec/servers/0/hosts", []any{"*/" + ReviewsSNI}), Mutation{
			Off:    []string{"east/admission/binding", "east/rules/paths", "east/route/last-route"},
			Attack: map[string]string{"east": tenantsRoutes},
		}),
		gateway("exact-host", edits.WithField("spec/servers/0/hosts", []any{"./*.west.fed.east.example"}), Mutation{}),
		policy("peer/principal", "fed-in-peer-west", edits.WithoutField("spec/rules/0/from"), Mutation{Off: []string{"east/gateway/identity", "east/policy/guard-of-peer"}}),
		policy("peer/snis", "fed-in-peer-west", edits.WithoutField("spec/rules/0/when"), Mutation{
			Off: []string{"east/rules/default"}, Attack: forgotten(ofOthers), Extra: []Attempt{asking(ofOthers)},
		}),
		policy("peer/port", "fed-in-peer-west", edits.WithoutField("spec/rules/0/to"), Mutation{
			Attack: map[string]string{"east": fmt.Sprintf(forgottenGrant, 15444, ReviewsSNI, ReviewsSNI)},
			Extra: []Attempt{{From: Caller("east", "default/ratings"), Probe: func(f *federation.Federation) traffic.Probe {
				pod, err := f.East.Pod(context.Background(), federation.Boundary+"/federation-ingress")
				if err != nil {
					panic(err)
				}
				p := ToIngress(GenuineWest)(f)
				p.Dial = pod.Status.PodIP + ":15444"
				return p
			}}},
		}),
		policy("guard-of-peer", "fed-in-guard-west", nil, Mutation{Off: []string{"east/gateway/identity"}, Attack: open}),
		policy("guard", "fed-in-guard", nil, Mutation{
			Attack: map[string]string{"east": AllowAnything + "---\n" + fmt.Sprintf(foreignListener, "ingress")},
			Extra:  []Attempt{podPort(Caller("east", "default/ratings"), "federation-ingress", 8080)},
		}),
		policy("default-deny", "fed-in-default-deny", nil, Mutation{
			Off: []string{"east/policy/peer"}, Attack: forgotten(second), Extra: []Attempt{asking(second)},
		}),
		policy("peer", "fed-in-peer-west", nil, Mutation{}),
		rules("grant", edits.WithoutPatch("VIRTUAL_HOST", ReviewsSNI), Mutation{}),
		rules("default", edits.WithoutPatch("HTTP_FILTER", ""), Mutation{Attack: forgotten(second), Extra: []Attempt{asking(second)}}),
		rules("methods", edits.WithoutRule(ReviewsSNI, 0, 0), Mutation{Off: []string{"east/route/method"}}),
		rules("paths", edits.WithoutRule(ReviewsSNI, 0, 1), Mutation{Off: []string{"east/route/path"}}),
		route("ambiguous-paths", edits.WithoutField("spec/http/0"), Mutation{}),
		route("method", edits.WithoutField("spec/http/1/match/0/method"), Mutation{Off: []string{"east/rules/methods"}}),
		route("path", edits.WithoutField("spec/http/1/match/0/uri"), Mutation{Off: []string{"east/rules/paths"}}),
		route("last-route", edits.WithoutField("spec/http/2"), Mutation{Off: []string{"east/rules/default"}}),
		route("request-headers", edits.WithoutField("spec/http/1/headers/request/remove"), Mutation{Extra: []Attempt{forgedHeadersArriving(Outside, ToIngress(GenuineWest))}}),
		route("peer-header", edits.WithoutField("spec/http/1/headers/request/set/x-federation-peer"), Mutation{Extra: []Attempt{forgedHeadersArriving(Outside, ToIngress(GenuineWest))}}),
		route("forwarded-for", edits.WithoutField("spec/http/1/headers/request/set/x-forwarded-for"), Mutation{Extra: []Attempt{forgedHeadersArriving(Outside, ToIngress(GenuineWest))}}),
		route("response-headers", edits.WithoutField("spec/http/1/headers/response"), Mutation{Extra: []Attempt{answerHeaderNames()}}),
		{
			Name: "east/pods/proxy-config", Guarantees: guarantee.NothingInternal, Mesh: "east", Kind: "Deployment", Object: "federation-ingress",
			Change: edits.WithoutField("spec/template/metadata/annotations/proxy.istio.io~1config"), Extra: []Attempt{answerHeaderNames()},
		},
	}
}

// westProtections are the protections of the consuming mesh.
func westProtections() []Mutation {
	policy := func(name, object string, change func(*unstructured.Unstructured), more Mutation) Mutation {
		more.Name, more.Guarantees, more.Mesh, more.Kind, more.Object, more.Change = "west/policy/"+name, guarantee.TwoControls|guarantee.EgressCallers, "west", "AuthorizationPolicy", object, change
		return more
	}
	rules := func(name string, change func(*unstructured.Unstructured), more Mutation) Mutation {
		more.Name, more.Guarantees, more.Mesh, more.Kind, more.Object, more.Change = "west/rules/"+name, guarantee.TwoControls|guarantee.EgressCallers, "west", "EnvoyFilter", "fed-out-edge", change
		return more
	}
	visible := func(name, kind, object string, change func(*unstructured.Unstructured), extra Attempt, off ...string) Mutation {
		return Mutation{Name: "west/visible/" + name, Guarantees: guarantee.NothingInternal | guarantee.TenantsKeptOut, Mesh: "west", Kind: kind, Object: object, Change: change, Off: off, Extra: []Attempt{extra}}
	}
	return []Mutation{
		{Name: "west/gateway/callers", Guarantees: guarantee.EgressCallers, Mesh: "west", Kind: "Gateway", Object: "fed-out-east", Change: edits.WithoutField("spec/servers/0/tls/subjectAltNames")},
		{
			Name: "west/gateway/exact-host", Guarantees: guarantee.ExplicitAccess, Mesh: "west", Kind: "Gateway", Object: "fed-out-east",
			Change: edits.WithField("spec/servers/0/hosts", []any{"./*.egress.fed.west.example"}),
		},
		policy("mesh", "fed-out-mesh", nil, Mutation{}),
		policy("mesh/principals", "fed-out-mesh", edits.WithoutField("spec/rules/0/from"), Mutation{
			Off: []string{"west/gateway/callers", "west/rules/callers"}, Extra: []Attempt{{From: NoSidecar, Probe: ToEgress(MeshCA("west", pki.Request{SpiffeID: "spiffe://other.example/ns/default/sa/other"}))}},
		}),
		rules("name", edits.WithoutPatch("VIRTUAL_HOST", BindingSNI), Mutation{}),
		rules("callers", edits.ForAnybody(BindingSNI), Mutation{Off: []string{"west/gateway/callers"}}),
		rules("default", edits.WithoutPatch("HTTP_FILTER", ""), Mutation{Off: []string{"west/gateway/callers"}}),
		policy("guard", "fed-out-guard", nil, Mutation{
			Attack: map[string]string{"west": AllowAnything + "---\n" + fmt.Sprintf(foreignListener, "egress")},
			Extra:  []Attempt{podPort(OtherAccount, "federation-egress", 8080)},
		}),
		policy("default-deny", "fed-out-default-deny", nil, Mutation{Off: []string{"west/policy/mesh"}}),
		{
			Name: "west/upstream/identity", Guarantees: guarantee.TLSOnEveryHop, Mesh: "west", Kind: "DestinationRule", Object: "fed-out-reviews-9080-east",
			Change: edits.WithoutField("spec/trafficPolicy/tls/subjectAltNames"), Impostor: MeshCA("east", pki.Request{SpiffeID: "spiffe://east.example/ns/default/sa/bookinfo-ratings"}),
		},
		{
			Name: "west/upstream/ca", Guarantees: guarantee.TLSOnEveryHop, Mesh: "west", Kind: "DestinationRule", Object: "fed-out-reviews-9080-east",
			Change: edits.WithField("spec/trafficPolicy/tls/caCertificates", "/etc/federation/workload/root-cert.pem"), Impostor: MeshCA("west", pki.Request{SpiffeID: IngressID}),
		},
		{
			Name: "west/upstream/sni", Guarantees: guarantee.TLSOnEveryHop, Mesh: "west", Kind: "DestinationRule", Object: "fed-out-reviews-9080-east",
			Change: edits.WithoutField("spec/trafficPolicy/tls/sni"), Off: []string{"west/route/authority"}, // Envoy would take the name from there
		},
		{
			Name: "west/upstream/tls", Guarantees: guarantee.TLSOnEveryHop, Mesh: "west", Kind: "DestinationRule", Object: "fed-out-reviews-9080-east",
			Change: edits.WithoutField("spec/trafficPolicy/tls"),
		},
		{
			Name: "west/caller/tls", Guarantees: guarantee.TLSOnEveryHop, Mesh: "west", Kind: "DestinationRule", Object: "fed-call-reviews-9080-default-east-default",
			Change: edits.WithoutField("spec/subsets/0/trafficPolicy"),
		},
		{
			Name: "west/route/authority", Guarantees: guarantee.TLSOnEveryHop | guarantee.NothingInternal, Mesh: "west", Kind: "VirtualService", Object: "fed-out-reviews-9080-default-east",
			Change: edits.WithoutField("spec/http/0/rewrite"),
		},
		{
			Name: "west/route/request-headers", Guarantees: guarantee.NothingInternal, Mesh: "west", Kind: "VirtualService", Object: "fed-out-reviews-9080-default-east",
			Change: edits.WithoutField("spec/http/0/headers/request/remove"), Impostor: MeshCA("east", pki.Request{SpiffeID: IngressID}),
			Extra: []Attempt{forgedHeadersArriving(Productpage, func(*federation.Federation) traffic.Probe { return Reviews("/reviews/0") })},
		},
		{
			Name: "west/pods/proxy-config", Guarantees: guarantee.NothingInternal, Mesh: "west", Kind: "Deployment", Object: "federation-egress",
			Change: func(o *unstructured.Unstructured) {
				edits.WithField("spec/template/metadata/annotations/proxy.istio.io~1config", "proxyMetadata: {OUTPUT_CERTS: /etc/federation/workload}\n")(o)
			},
			Impostor: MeshCA("east", pki.Request{SpiffeID: IngressID}), Extra: []Attempt{envoyHeaders()},
		},
		visible("remote-host", "ServiceEntry", "fed-out-reviews-9080-east", edits.WithField("spec/exportTo", []any{"*"}), proxyConfig("elsewhere/visitor", ReviewsSNI)),
		visible("egress-service", "Service", "federation-egress", edits.WithoutField("metadata/annotations/networking.istio.io~1exportTo"), proxyConfig("elsewhere/visitor", EgressHost)),
		visible("local-name", "Service", "reviews", edits.WithoutField("metadata/annotations/networking.istio.io~1exportTo"), proxyConfig("elsewhere/visitor", "outbound|9080||"+ReviewsHost)),
		visible("local-route", "VirtualService", "fed-name-reviews-default", edits.WithField("spec/exportTo", []any{"*"}), proxyConfig("elsewhere/visitor", BindingSNI), "west/visible/local-name"),
		{
			Name: "west/visible/caller-rule", Guarantees: guarantee.TenantsKeptOut, Mesh: "west", Kind: "DestinationRule", Object: "fed-call-reviews-9080-default-east-default",
			Cannot: "Istio looks for the rules of a host in the caller's, the Service's and the root namespace only: exportTo says the same once more",
		},
	}
}

// envoyHeaders lists the headers of west's proxies that reach the peer.
func envoyHeaders() Attempt {
	return Attempt{
		From:  Productpage,
		Probe: func(*federation.Federation) traffic.Probe { return Reviews("/reviews/0") },
		Read: func(answer traffic.Answer) string {
			if answer.Seen == nil {
				return answer.Outcome()
			}
			var names []string
			for _, h := range answer.Seen.Header {
				if strings.HasPrefix(h[0], "x-envoy-") {
					names = append(names, h[0])
				}
			}
			return "arrives: " + strings.Join(names, " ")
		},
	}
}

// admission are the protections against other tenants at the API server.
func admission() []Mutation {
	gateway := fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: x, namespace: %s}\nspec: {selector: {istio: istio-federation-egress}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*']}]}\n", anyTenant)
	filter := fmt.Sprintf("apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: x, namespace: %s}\nspec: {workloadSelector: {labels: {istio: istio-federation-egress}}, configPatches: []}\n", mesh.System)
	virtual := func(host, gateways string) string {
		return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x, namespace: %s}\nspec: {hosts: [%s], gateways: [%s], http: [{directResponse: {status: 299}}]}\n", anyTenant, host, gateways)
	}
	attempts := []Attempt{
		admits("west", gateway), admits("west", filter), admits("west", virtual("a.example", "istio-federation/fed-out-east")),
		admits("west", virtual(BindingSNI, "tenant")), admits("west", virtual(ReviewsHost, "mesh")),
	}
	mutation := func(name, kind string, change func(*unstructured.Unstructured)) Mutation {
		return Mutation{Name: "west/admission/" + name, Guarantees: guarantee.TenantsKeptOut, Mesh: "west", Kind: kind, Object: "istio-federation-boundary", Change: change, Extra: attempts}
	}
	return []Mutation{
		{
			Name: "east/admission/binding", Guarantees: guarantee.TenantsKeptOut, Mesh: "east", Kind: "ValidatingAdmissionPolicyBinding", Object: "istio-federation-boundary",
			Extra: []Attempt{admits("east", strings.Replace(gateway, "egress", "ingress", 1))},
		},
		mutation("binding", "ValidatingAdmissionPolicyBinding", nil),
		mutation("deny", "ValidatingAdmissionPolicyBinding", edits.WithField("spec/validationActions", []any{"Audit"})),
		mutation("gateways", "ValidatingAdmissionPolicy", edits.WithoutField("spec/validations/0")),
		mutation("filters", "ValidatingAdmissionPolicy", edits.WithoutField("spec/validations/1")),
		mutation("routes-on-our-gateways", "ValidatingAdmissionPolicy", edits.WithoutField("spec/validations/2")),
		mutation("our-hosts", "ValidatingAdmissionPolicy", edits.WithoutField("spec/validations/3")),
		mutation("local-names", "ValidatingAdmissionPolicy", edits.WithoutField("spec/validations/4")),
		{
			Name: "east/namespace/pod-security", Guarantees: guarantee.TenantsKeptOut, Mesh: "east", Kind: "Namespace", Object: "istio-federation",
			Change: edits.WithoutField("metadata/labels/pod-security.kubernetes.io~1enforce"),
			Extra:  []Attempt{admits("east", "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: istio-federation}\nspec: {containers: [{name: x, image: mesh-federation-lab/app, securityContext: {privileged: true}}]}\n")},
		},
	}
}

// unenforced are the protections that the lab cannot test, with the reason.
func unenforced() []Mutation {
	listed := func(name, meshName, kind, object, why string, guarantees guarantee.Set) Mutation {
		return Mutation{Name: name, Guarantees: guarantees, Mesh: meshName, Kind: kind, Object: object, Cannot: why}
	}
	return []Mutation{
		listed("east/network/default-deny", "east", "NetworkPolicy", "federation-default-deny", "no network plugin enforces NetworkPolicy in the lab", guarantee.ExplicitAccess),
		listed("east/network/ingress", "east", "NetworkPolicy", "federation-ingress", "no network plugin enforces NetworkPolicy in the lab", guarantee.ExplicitAccess),
		listed("west/network/egress", "west", "NetworkPolicy", "federation-egress", "no network plugin enforces NetworkPolicy in the lab", guarantee.ExplicitAccess),
		listed("east/availability/budget", "east", "PodDisruptionBudget", "federation-ingress", "nothing evicts pods in the lab", guarantee.ExplicitAccess),
		listed("east/availability/scaling", "east", "HorizontalPodAutoscaler", "federation-ingress", "there are no metrics to scale by in the lab", guarantee.ExplicitAccess),
		listed("west/upstream/selector", "west", "DestinationRule", "fed-out-reviews-9080-east",
			"only the egress gateway's pods are in the namespace: the field keeps pods that somebody adds there from using the federation's files", guarantee.TLSOnEveryHop),
		listed("both/telemetry", "east", "Telemetry", "federation-ingress", "the lab's mesh config logs every request anyway", guarantee.ExplicitAccess),
	}
}
