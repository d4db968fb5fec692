package federation

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestAnApplicationSaysWhatItSpeaksOnEachPort(t *testing.T) {
	objects := appsOf("protocols", "east")
	find := func(kind, namespace string) *unstructured.Unstructured {
		for _, o := range objects {
			if o.GetKind() == kind && o.GetNamespace() == namespace {
				return o
			}
		}
		t.Fatalf("no %s in namespace %s", kind, namespace)
		return nil
	}
	for namespace, want := range map[string]struct{ args, ports []string }{
		"db":    {[]string{"serve", "--greeting", "3306"}, []string{"tcp-3306 tcp"}},
		"vault": {[]string{"serve", "--tls", "8200"}, []string{"tcp-8200 tcp"}},
		"multi": {[]string{"serve", "--http", "8080", "--grpc", "9090", "--tcp", "7001"}, []string{"http-8080 http", "grpc-9090 grpc", "tcp-7001 tcp"}},
	} {
		containers, _, _ := unstructured.NestedSlice(find("Deployment", namespace).Object, "spec", "template", "spec", "containers")
		args, _, _ := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
		if !slices.Equal(args, want.args) {
			t.Errorf("%s runs %q", namespace, args)
		}
		ports, _, _ := unstructured.NestedSlice(find("Service", namespace).Object, "spec", "ports")
		var got []string
		for _, p := range ports {
			fields := p.(map[string]any)
			got = append(got, fields["name"].(string)+" "+fields["appProtocol"].(string))
		}
		if !slices.Equal(got, want.ports) {
			t.Errorf("%s has the ports %q", namespace, got)
		}
	}
}

func TestNoScenarioHasTwoApplicationsOfOneNameOrAPortOfNoKind(t *testing.T) {
	for scenario, meshes := range ofScenario {
		for meshName, apps := range meshes {
			seen := map[string]bool{}
			for _, a := range slices.Concat(ofEveryScenario[meshName], apps) {
				if seen[a.name] {
					t.Errorf("%s: two applications of mesh %s are called %s", scenario, meshName, a.name)
				}
				seen[a.name] = true
				for _, p := range a.ports {
					if kinds[p.kind] == "" {
						t.Errorf("%s: %s has the kind %q, which is unknown", scenario, a.name, p.kind)
					}
				}
			}
		}
	}
}
