package edits

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
)

// anything is an RBAC rule without a condition.
var anything = map[string]any{"any": true}

// rulesOf changes the RBAC policy in an EnvoyFilter for the virtual host of an SNI.
func rulesOf(sni string, change func(policy map[string]any)) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		rbac := patchFor(o, sni)["typed_per_filter_config"].(map[string]any)["mesh-federation.rules"].(map[string]any)["rbac"].(map[string]any)
		for _, policy := range rbac["rules"].(map[string]any)["policies"].(map[string]any) {
			change(policy.(map[string]any))
		}
	}
}

// WithoutRule replaces one rule of one permission by one without a condition.
func WithoutRule(sni string, permission, rule int) func(*unstructured.Unstructured) {
	return rulesOf(sni, func(policy map[string]any) {
		and := policy["permissions"].([]any)[permission].(map[string]any)["and_rules"].(map[string]any)
		and["rules"].([]any)[rule] = anything
	})
}

// ForAnything changes the rules of an export to allow every request.
func ForAnything(sni string) func(*unstructured.Unstructured) {
	return rulesOf(sni, func(policy map[string]any) { policy["permissions"] = []any{anything} })
}

// ForAnybody changes the rules of a local name to allow every caller.
func ForAnybody(bindingSNI string) func(*unstructured.Unstructured) {
	return rulesOf(bindingSNI, func(policy map[string]any) { policy["principals"] = []any{anything} })
}

// WithoutPatch removes the first patch of a kind from an EnvoyFilter, or the one for an SNI.
func WithoutPatch(applyTo, sni string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		for i, patch := range patchesOf(o) {
			if patch["applyTo"] == applyTo && (sni == "" || forServer(patch, sni)) {
				WithoutField(fmt.Sprintf("spec/configPatches/%d", i))(o)
				return
			}
		}
		panic(fmt.Sprintf("%s has no patch of a %s for %q", o.GetName(), applyTo, sni))
	}
}

// patchFor is the value of the patch for the virtual host of an SNI.
func patchFor(o *unstructured.Unstructured, sni string) map[string]any {
	for _, patch := range patchesOf(o) {
		if patch["applyTo"] == "VIRTUAL_HOST" && forServer(patch, sni) {
			return patch["patch"].(map[string]any)["value"].(map[string]any)
		}
	}
	panic(fmt.Sprintf("%s has no rules for %q", o.GetName(), sni))
}

func patchesOf(o *unstructured.Unstructured) []map[string]any {
	var patches []map[string]any
	for _, patch := range o.Object["spec"].(map[string]any)["configPatches"].([]any) {
		patches = append(patches, patch.(map[string]any))
	}
	return patches
}

// forServer reports whether a patch is for the virtual host or the filter chain of an SNI.
func forServer(patch map[string]any, sni string) bool {
	match := patch["match"].(map[string]any)
	host, _, _ := NestedString(match, "routeConfiguration", "vhost", "name")
	chain, _, _ := NestedString(match, "listener", "filterChain", "sni")
	return host == sni+":15443" || chain == sni
}
