package mesh

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"sigs.k8s.io/yaml"
)

// The settings that the page recommends to administrators are those that the lab tests.
func TestTheLogOfTheLabIsTheOneOfTheHowTo(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "how-to", "monitoring.md"))
	if err != nil {
		t.Fatal(err)
	}
	var configured struct{ ExtensionProviders any }
	if err := yaml.Unmarshal(regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)[1], &configured); err != nil {
		t.Fatal(err)
	}
	var used struct {
		Spec struct {
			Values struct {
				MeshConfig struct{ ExtensionProviders any }
			}
		}
	}
	if err := yaml.Unmarshal(fmt.Appendf(nil, settings, "east.example", "east"), &used); err != nil {
		t.Fatal(err)
	}
	if configured.ExtensionProviders == nil || !reflect.DeepEqual(configured.ExtensionProviders, used.Spec.Values.MeshConfig.ExtensionProviders) {
		t.Errorf("the page has %v, the lab uses %v", configured.ExtensionProviders, used.Spec.Values.MeshConfig.ExtensionProviders)
	}
}
