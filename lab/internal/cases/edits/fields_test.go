package edits

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestAFieldIsTakenOutOfObjectsAndLists(t *testing.T) {
	o := &unstructured.Unstructured{Object: map[string]any{
		"kind": "Gateway", "metadata": map[string]any{"name": "g", "annotations": map[string]any{"a.b/c": "d"}},
		"spec": map[string]any{"servers": []any{map[string]any{"tls": map[string]any{"mode": "MUTUAL"}}, "second"}},
	}}
	WithoutField("spec/servers/0/tls/mode", "metadata/annotations/a.b~1c")(o)
	WithoutField("spec/servers/1")(o)
	WithField("spec/servers/0/hosts", []any{"x"})(o)
	servers, _, _ := unstructured.NestedSlice(o.Object, "spec", "servers")
	if len(servers) != 1 || len(o.GetAnnotations()) != 0 {
		t.Fatalf("left: %v", o.Object)
	}
	server := servers[0].(map[string]any)
	if tls := server["tls"].(map[string]any); len(tls) != 0 || len(server["hosts"].([]any)) != 1 {
		t.Errorf("left: %v", server)
	}
}

func TestTakingOutWhatIsNotThereIsAMistake(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no error is reported")
		}
	}()
	WithoutField("spec/nothing")(&unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}})
}
