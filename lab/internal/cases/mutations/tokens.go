package mutations

import (
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/edits"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/tokens"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
)

// tokensTakenAway are the conditions for end-user JWTs, each of which is checked twice.
func tokensTakenAway() []Mutation {
	const orders = "fed-in-orders-8080-west"
	rule := func(name string, permission, rule int) Mutation {
		return Mutation{Name: "tokens/rules/" + name, Guarantees: guarantee.TwoControls, Mesh: "east", Kind: "EnvoyFilter", Object: "fed-in-edge",
			Change: edits.WithoutRule(tokens.OrdersSNI, permission, rule), Off: []string{"tokens/route/" + name}}
	}
	route := func(name, field string) Mutation {
		return Mutation{Name: "tokens/route/" + name, Guarantees: guarantee.TwoControls, Mesh: "east", Kind: "VirtualService", Object: orders,
			Change: edits.WithoutField("spec/http/5/match/" + field), Off: []string{"tokens/rules/" + name}}
	}
	header := route("header", "0/headers/authorization") // rules read the claims, and not where the token came from
	header.Off = nil
	return []Mutation{
		rule("issuer", 0, 3), route("issuer", "0/headers/@request.auth.claims[iss]"),
		rule("audience", 0, 4), route("audience", "0/headers/@request.auth.claims[aud]"),
		rule("claim", 0, 5), route("claim", "0/headers/@request.auth.claims[scope]"),
		rule("claim-inside-another", 1, 5), route("claim-inside-another", "1/headers/@request.auth.claims[realm_access][roles]"),
		header,
		{
			Name: "tokens/trusted/in-one-header", Guarantees: guarantee.TwoControls, Mesh: "east", Kind: "RequestAuthentication", Object: "fed-in-jwt-login-example-22494105",
			Change: edits.WithoutField("spec/jwtRules/0/fromHeaders"), Off: []string{"tokens/route/header"},
		},
		{Name: "tokens/trusted", Guarantees: guarantee.TwoControls, Mesh: "east", Kind: "RequestAuthentication", Object: "fed-in-jwt-login-example-staff-a79795a0"},
		{Name: "tokens/filter", Guarantees: guarantee.WorkloadsUntouched, Mesh: "east", Kind: "EnvoyFilter", Object: "fed-in-jwt-elsewhere"},
	}
}
