package federation

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

func named(names ...string) []*unstructured.Unstructured {
	text := ""
	for _, name := range names {
		text += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: default, name: " + name + "}\n"
	}
	return must(mesh.Objects(text))
}

func namesOf(objects []*unstructured.Unstructured) string {
	var names []string
	for _, object := range objects {
		names = append(names, object.GetName())
	}
	return strings.Join(names, " ")
}

func TestWhatAHalfAppliedScenarioLeftIsTakenAwayByTheNext(t *testing.T) {
	before := named("policy", "gateway", "route")
	half := together(before, named("policy", "other"))
	if got := namesOf(half); got != "gateway route policy other" {
		t.Errorf("may be there: %s", got)
	}
	if got := namesOf(missing(half, named("policy", "third"))); got != "other route gateway" {
		t.Errorf("is taken away: %s", got)
	}
	if !slices.Equal(together(nil, before), before) {
		t.Error("with nothing before, the scenario is all that there is")
	}
}
