package mutations

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/edits"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/spellings"
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// spellingsTakenAway remove protections against other spellings of an excepted path, and against repeated headers.
func spellingsTakenAway() []Mutation {
	const orders = "fed-in-orders-9080-west"
	at := func(name, meshName, object string, change func(*unstructured.Unstructured), extra ...Attempt) Mutation {
		return Mutation{Name: "spellings/" + name, Guarantees: guarantee.TwoControls | guarantee.ErrorsNotGuesses, Mesh: meshName, Kind: "VirtualService", Object: object, Change: change, Extra: extra}
	}
	ask := func(path, want string) Attempt {
		one := spellings.AttackerTo("orders", "east", EastAddress, func(p *traffic.Probe) { p.Target = path })
		return Attempt{From: one.From, Probe: one.Probe, Want: want}
	}
	printable := at("route/printable", "east", orders, edits.WithoutField("spec/http/0/match/1"))
	printable.Cannot = "Envoy 1.40 answers 400 to such bytes itself, whatever pathNormalization says (spellings/raw-bytes): the match is for versions that do not"
	forged := spellings.AttackerTo("shared", "north", "203.0.113.30:443", func(p *traffic.Probe) {
		p.Target, p.Header = "/orders/1", [][2]string{{"x_forwarded_for", Forgery}}
	})
	return []Mutation{
		at("route/foldable", "east", orders, edits.WithField("spec/http/0/match/0/uri/regex", "/nothing"),
			ask("/orders//secret", "400"), ask("/orders/;/secret", "400"), ask("/orders/%2573ecret", "400")),
		printable,
		at("route/like", "east", orders, func(o *unstructured.Unstructured) {
			eachRoute(o, func(route map[string]any) bool { return !strings.Contains(route["name"].(string), "-like-") })
		}, ask("/orders/secret/", "403"), ask("/orders/SECRET", "403"), ask("/orders/secret.json", "403")),
		at("route/required-value", "east", orders, func(o *unstructured.Unstructured) {
			eachRoute(o, func(route map[string]any) bool {
				unstructured.RemoveNestedField(route, "headers", "request", "set", "x-editor")
				return true
			})
		}, spellings.RequiredTwice()[1].Attempts[2]),
		{
			Name: "spellings/shared/underscores", Guarantees: guarantee.TwoControls | guarantee.NothingInternal, Mesh: "north", Kind: "EnvoyFilter", Object: "fed-in-edge", Change: edits.WithoutPatch("NETWORK_FILTER", ""),
			Extra: []Attempt{{From: forged.From, Probe: forged.Probe, Read: spellings.ForgedNames}},
		},
	}
}

// eachRoute changes the routes of a VirtualService, and removes those for which keep returns false.
func eachRoute(o *unstructured.Unstructured, keep func(map[string]any) bool) {
	spec := o.Object["spec"].(map[string]any)
	spec["http"] = slices.DeleteFunc(spec["http"].([]any), func(route any) bool { return !keep(route.(map[string]any)) })
}
