package cases

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// protocolsTakenAway: what protects ports that speak something else, and rules that are more than methods and paths.
func protocolsTakenAway() []Mutation {
	at := func(name, meshName, kind, object string, change func(*unstructured.Unstructured), off ...string) Mutation {
		return Mutation{Name: "protocols/" + name, Laws: laws(3), Mesh: meshName, Kind: kind, Object: object, Change: change, Off: off}
	}
	policy, route := "AuthorizationPolicy", "VirtualService"
	const chat, search = "fed-in-chat-8080-west", "fed-in-search-9000-west"
	everyService := []any{map[string]any{"method": map[string]any{"exact": "POST"}}}
	// The servers of the egress gateway are sorted by name: mysql is the sixth.
	callers := at("gateway/callers-of-a-database", "west", "Gateway", "fed-out-east", without("spec/servers/5/tls/subjectAltNames"))
	callers.Laws = laws(4)
	names := at("admission/additional-hosts", "west", "ValidatingAdmissionPolicy", "istio-federation-boundary", without("spec/validations/5"))
	names.Laws = laws(17)
	names.Extra = []Attempt{accepts("west", fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x, namespace: %s}\nspec: {hosts: [vault.east.example], http: [{directResponse: {status: 299}}]}\n", anyTenant))}
	return []Mutation{
		callers,
		names,
		at("policy/exception", "east", policy, chat, without("spec/rules/1/to/0/operation/notPaths"), "protocols/route/exception"),
		at("route/exception", "east", route, chat, without("spec/http/2"), "protocols/policy/exception"),
		at("policy/required-header", "east", policy, chat, without("spec/rules/0/when/1"), "protocols/route/required-header"),
		at("route/required-header", "east", route, chat, without("spec/http/1/match/0/headers"), "protocols/policy/required-header"),
		at("policy/grpc-methods", "east", policy, search, without("spec/rules/0/to/0/operation/paths"), "protocols/route/grpc-methods"),
		at("route/grpc-methods", "east", route, search, with("spec/http/1/match", everyService), "protocols/policy/grpc-methods"),
		at("route/request-timeout", "east", route, chat, func(o *unstructured.Unstructured) { without("spec/http/1/timeout", "spec/http/3/timeout")(o) }),
	}
}

// wideTakenAway: callers that nobody lists are checked by policies alone.
func wideTakenAway() []Mutation {
	const shared = "shared-9080-partners-east"
	return []Mutation{
		{
			Name: "wide/policy/namespace", Laws: laws(4), Mesh: "west", Kind: "AuthorizationPolicy", Object: "fed-out-" + shared,
			Change: without("spec/rules/0/from"), Off: []string{"wide/policy/guard-of-namespace"},
		},
		{
			Name: "wide/policy/guard-of-namespace", Laws: laws(3, 4), Mesh: "west", Kind: "AuthorizationPolicy", Object: "fed-out-guard-" + shared,
			Attack: map[string]string{"west": allowAnything},
		},
	}
}

// termsTakenAway: what is decided about one peer.
func termsTakenAway() []Mutation {
	filter := func(name, meshName, object string, extra ...Attempt) Mutation {
		return Mutation{Name: "terms/" + name, Laws: laws(2), Mesh: meshName, Kind: "EnvoyFilter", Object: object, Extra: extra}
	}
	connect := filter("connect-after-handshake", "west", "fed-out-connect-after-tls", accepted(shopOther, bytesTo("mysql.shop:3306", "hello")))
	connect.Off, connect.Laws = []string{"terms/connect-after-handshake-at-the-ingress"}, laws(4)
	arrival := filter("connect-after-handshake-at-the-ingress", "east", "fed-in-connect-after-tls", accepted(outside, toServer(mysqlOf("west"), "tcp", none)))
	arrival.Laws = laws(4)
	return []Mutation{
		arrival,
		connect,
		filter("limits", "east", "fed-in-limits-west", lives(mysqlOf("west"), genuine, 4*time.Second)),
		filter("idle-timeout", "east", "fed-in-idle-ledger-3306-north", lives("p3306.ledger.north.fed.east.example", genuineNorth, 4*time.Second)),
	}
}

// locksTakenAway: what closes a workload, and ways round the egress gateway.
func locksTakenAway() []Mutation {
	lock := func(name, meshName, kind, object string) Mutation {
		return Mutation{Name: "locks/" + name, Laws: laws(1, 3), Mesh: meshName, Kind: kind, Object: object}
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

// sharedTakenAway: on a gateway that others run, policies can only deny.
func sharedTakenAway() []Mutation {
	at := func(name, kind, object string, change func(*unstructured.Unstructured), off ...string) Mutation {
		return Mutation{Name: "shared/" + name, Laws: laws(2, 3), Mesh: "east", Kind: kind, Object: object, Change: change, Off: off}
	}
	policy, route := "AuthorizationPolicy", "VirtualService"
	const reviews = "fed-in-reviews-9080-west"
	guard := at("policy/guard", policy, "fed-in-guard", nil)
	guard.Attack = map[string]string{"east": everyName}
	guard.Extra = []Attempt{{From: outside, Probe: toShared(none, sni("p9080.ratings.nobody.fed.east.example"), host("any.example"))}}
	forged := at("route/forged-headers", route, reviews, without("spec/http/1/headers/request"))
	forged.Laws = laws(7)
	forged.Extra = []Attempt{{
		From: outside,
		Probe: toShared(byBoundary("west-boundary", boundaryEgress), func(p *traffic.Probe) {
			p.Header = [][2]string{{"x-forwarded-client-cert", "URI=spiffe://forged"}, {"x-forwarded-proto", "http"}}
		}),
		Read: func(answer traffic.Answer) string {
			if answer.Seen == nil {
				return answer.Outcome()
			}
			return header(answer.Seen.Header, "x-forwarded-client-cert") + " " + header(answer.Seen.Header, "x-forwarded-proto")
		},
	}}
	return []Mutation{
		guard,
		forged,
		// The servers are sorted by name: mysql is the first.
		at("gateway/identity", "Gateway", "fed-in-west", without("spec/servers/1/tls/subjectAltNames"), "shared/policy/peer", "shared/policy/server"),
		at("policy/peer", policy, "fed-in-guard-west", nil, "shared/gateway/identity", "shared/policy/server"),
		at("policy/server", policy, reviews, without("spec/rules/0"), "shared/gateway/identity", "shared/policy/peer"),
		at("policy/rules", policy, reviews, func(o *unstructured.Unstructured) { without("spec/rules/2", "spec/rules/1")(o) }, "shared/route/rules"),
		at("route/rules", route, reviews, without("spec/http/1/match"), "shared/policy/rules"),
	}
}

// accepted tells whether east's database accepts a connection for somebody's sake.
func accepted(from From, attempt func(*federation.Federation) traffic.Probe) Attempt {
	return Attempt{Do: func(ctx context.Context, f *federation.Federation) string {
		t := &T{Federation: f, Context: ctx}
		before := t.connections("east", "db/mysql", 3306)
		t.Try(from, attempt(f))
		time.Sleep(300 * time.Millisecond)
		return fmt.Sprintf("%d connections", t.connections("east", "db/mysql", 3306)-before)
	}}
}

// lives tells whether a silent connection to a database is still open after a while.
func lives(serverName string, shown certificate, while time.Duration) Attempt {
	return Attempt{Do: func(ctx context.Context, f *federation.Federation) string {
		t := &T{Federation: f, Context: ctx}
		p := idle(t, "west", shown, while)
		p.TLS.ServerName = serverName
		began := time.Now()
		t.Try(outside, p)
		if time.Since(began) < while {
			return "closed"
		}
		return "open"
	}}
}
