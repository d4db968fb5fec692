package mutations

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/clusters"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/edits"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/gateways"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/peeroptions"
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// protocolsTakenAway remove protections of ports other than HTTP, and of rules with more than methods and paths.
func protocolsTakenAway() []Mutation {
	at := func(name, meshName, kind, object string, change func(*unstructured.Unstructured), off ...string) Mutation {
		return Mutation{Name: "protocols/" + name, Guarantees: guarantee.TwoControls, Mesh: meshName, Kind: kind, Object: object, Change: change, Off: off}
	}
	filter, route := "EnvoyFilter", "VirtualService"
	const edge, chatSNI, searchSNI, mysqlSNI = "fed-in-edge", "p8080.chat.west.fed.east.example", "p9000.search.west.fed.east.example", "p3306.mysql.shop.east.egress.fed.west.example"
	const chat, search = "fed-in-chat-8080-west", "fed-in-search-9000-west"
	everyService := []any{map[string]any{"method": map[string]any{"exact": "POST"}}}
	// The servers of the egress gateway are sorted by name: mysql is the sixth.
	callers := at("gateway/callers-of-a-database", "west", "Gateway", "fed-out-east", edits.WithoutField("spec/servers/5/tls/subjectAltNames"))
	callers.Guarantees = guarantee.EgressCallers
	connections := at("rules/callers-of-a-database", "west", filter, "fed-out-edge", edits.WithoutPatch("NETWORK_FILTER", mysqlSNI), "protocols/gateway/callers-of-a-database")
	connections.Guarantees = guarantee.EgressCallers
	names := at("admission/additional-hosts", "west", "ValidatingAdmissionPolicy", "istio-federation-boundary", edits.WithoutField("spec/validations/5"))
	names.Guarantees = guarantee.TenantsKeptOut
	names.Extra = []Attempt{admits("west", fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: x, namespace: %s}\nspec: {hosts: [vault.east.example], ports: [{number: 8200, name: http, protocol: HTTP}], resolution: NONE}\n", anyTenant))}
	return []Mutation{
		callers,
		connections,
		names,
		at("rules/exception", "east", filter, edge, edits.WithoutRule(chatSNI, 0, 2), "protocols/route/exception"),
		at("route/exception", "east", route, chat, edits.WithoutField("spec/http/3", "spec/http/2"), "protocols/rules/exception"),
		at("rules/required-header", "east", filter, edge, edits.WithoutRule(chatSNI, 1, 2), "protocols/route/required-header"),
		at("route/required-header", "east", route, chat, edits.WithoutField("spec/http/1/match/0/headers"), "protocols/rules/required-header"),
		at("rules/grpc-methods", "east", filter, edge, edits.WithoutRule(searchSNI, 0, 1), "protocols/route/grpc-methods"),
		at("route/grpc-methods", "east", route, search, edits.WithField("spec/http/1/match", everyService), "protocols/rules/grpc-methods"),
		at("route/request-timeout", "east", route, chat, func(o *unstructured.Unstructured) {
			edits.WithoutField("spec/http/1/timeout", "spec/http/4/timeout")(o)
		}),
	}
}

// wideTakenAway are protections of local names for unlisted callers: the rules of the name, and a policy.
func wideTakenAway() []Mutation {
	return []Mutation{
		{
			Name: "wide/rules/namespace", Guarantees: guarantee.EgressCallers, Mesh: "west", Kind: "EnvoyFilter", Object: "fed-out-edge",
			Change: edits.ForAnybody("p9080.shared.partners.east.egress.fed.west.example"), Off: []string{"wide/policy/namespace"},
		},
		{
			Name: "wide/policy/namespace", Guarantees: guarantee.TwoControls | guarantee.EgressCallers, Mesh: "west", Kind: "AuthorizationPolicy", Object: "fed-out-guard-shared-9080-partners-east",
			Off: []string{"wide/rules/namespace"},
		},
	}
}

// peerOptionsTakenAway are the peer options.
func peerOptionsTakenAway() []Mutation {
	filter := func(name, meshName, object string, extra ...Attempt) Mutation {
		return Mutation{Name: "peer-options/" + name, Guarantees: guarantee.ServerPerPeer, Mesh: meshName, Kind: "EnvoyFilter", Object: object, Extra: extra}
	}
	connect := filter("connect-after-handshake", "west", "fed-out-connect-after-tls", databaseConnections(ShopOther, TcpBytes("mysql.shop:3306", "hello")))
	connect.Off, connect.Guarantees = []string{"peer-options/connect-after-handshake-at-the-ingress"}, guarantee.EgressCallers
	arrival := filter("connect-after-handshake-at-the-ingress", "east", "fed-in-connect-after-tls", databaseConnections(Outside, ToServer(MysqlOf("west"), "tcp", NoCertificate)))
	arrival.Guarantees = guarantee.EgressCallers
	return []Mutation{
		arrival,
		connect,
		filter("limits", "east", "fed-in-limits-west", silentConnection(MysqlOf("west"), GenuineWest, 4*time.Second)),
		filter("idle-timeout", "east", "fed-in-idle-ledger-3306-north", silentConnection("p3306.ledger.north.fed.east.example", GenuineNorth, 4*time.Second)),
	}
}

// locksTakenAway are the policies of locked workloads, and of namespaces that cannot bypass the egress gateway.
func locksTakenAway() []Mutation {
	lock := func(name, meshName, kind, object string) Mutation {
		return Mutation{Name: "locks/" + name, Guarantees: guarantee.ExplicitAccess | guarantee.TwoControls, Mesh: meshName, Kind: kind, Object: object}
	}
	network := lock("network", "west", "NetworkPolicy", "fed-restricted-finance")
	network.Cannot = "no network plugin enforces NetworkPolicy in the lab"
	return []Mutation{
		lock("workload", "east", "AuthorizationPolicy", "fed-lock-withdraw-accounts"),
		lock("database", "east", "AuthorizationPolicy", "fed-lock-mysql-db"),
		lock("sidecar", "west", "Sidecar", "fed-restricted-finance"),
		network,
	}
}

// sharedTakenAway are protections on an existing gateway, where policies can only deny.
func sharedTakenAway() []Mutation {
	at := func(name, kind, object string, change func(*unstructured.Unstructured), off ...string) Mutation {
		return Mutation{Name: "shared/" + name, Guarantees: guarantee.ServerPerPeer | guarantee.TwoControls, Mesh: "east", Kind: kind, Object: object, Change: change, Off: off}
	}
	policy, filter, route := "AuthorizationPolicy", "EnvoyFilter", "VirtualService"
	const reviews = "fed-in-reviews-9080-west"
	guard := at("policy/guard", policy, "fed-in-guard", nil)
	guard.Attack = map[string]string{"east": gateways.EveryName}
	guard.Extra = []Attempt{{From: Outside, Probe: gateways.ToShared(NoCertificate, WithSNI("p9080.ratings.nobody.fed.east.example"), WithHost("any.example"))}}
	forged := at("route/forged-headers", route, reviews, edits.WithoutField("spec/http/1/headers/request"))
	forged.Guarantees = guarantee.NothingInternal
	forged.Extra = []Attempt{{
		From: Outside,
		Probe: gateways.ToShared(ByBoundary("west-boundary", BoundaryEgress), func(p *traffic.Probe) {
			p.Header = [][2]string{{"x-forwarded-client-cert", "URI=spiffe://forged"}, {"x-forwarded-proto", "http"}}
		}),
		Read: func(answer traffic.Answer) string {
			if answer.Seen == nil {
				return answer.Outcome()
			}
			return Header(answer.Seen.Header, "x-forwarded-client-cert") + " " + Header(answer.Seen.Header, "x-forwarded-proto")
		},
	}}
	return []Mutation{
		guard,
		forged,
		// The servers are sorted by name: mysql is the first.
		at("gateway/identity", "Gateway", "fed-in-west", edits.WithoutField("spec/servers/1/tls/subjectAltNames"), "shared/policy/peer"),
		at("policy/peer", policy, "fed-in-guard-west", nil, "shared/gateway/identity"),
		at("rules/default", filter, "fed-in-edge", edits.WithoutPatch("HTTP_FILTER", ReviewsSNI), "shared/route/rules"),
		at("rules/grant", filter, "fed-in-edge", edits.ForAnything(ReviewsSNI), "shared/route/rules"),
		at("route/rules", route, reviews, edits.WithoutField("spec/http/1/match"), "shared/rules/grant"),
	}
}

// databaseConnections counts the connections that east's database accepts because of an attempt.
func databaseConnections(from From, attempt func(*federation.Federation) traffic.Probe) Attempt {
	return Attempt{Do: func(ctx context.Context, f *federation.Federation) string {
		t := NewT(ctx, f)
		before := t.Connections("east", "db/mysql", 3306)
		t.Try(from, attempt(f))
		time.Sleep(300 * time.Millisecond)
		return fmt.Sprintf("%d connections", t.Connections("east", "db/mysql", 3306)-before)
	}}
}

// silentConnection reports whether a silent connection to a database is still open after a while.
func silentConnection(serverName string, shown CertificateSource, while time.Duration) Attempt {
	return Attempt{Do: func(ctx context.Context, f *federation.Federation) string {
		t := NewT(ctx, f)
		p := peeroptions.IdleConnection(t, "west", shown, while)
		p.TLS.ServerName = serverName
		began := time.Now()
		t.Try(Outside, p)
		if time.Since(began) < while {
			return "closed"
		}
		return "open"
	}}
}

// clustersTakenAway are the two fields by which callers stay with the egress gateway of their own cluster.
func clustersTakenAway() []Mutation {
	without := func(name, field string) Mutation {
		return Mutation{
			Name: "clusters/" + name, Guarantees: guarantee.ExplicitAccess, Mesh: "west", Kind: "DestinationRule", Object: "fed-call-reviews-9080-default-east-default",
			Change: edits.WithoutField("spec/subsets/0/trafficPolicy/" + field), Extra: []Attempt{{Do: clusters.OwnEgress}},
		}
	}
	return []Mutation{without("priority", "loadBalancer"), without("outlier-detection", "outlierDetection")}
}
