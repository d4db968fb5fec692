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

// What the page tells administrators to write is what the lab has seen.
func TestTheLogOfTheLabIsTheOneOfTheHowTo(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "how-to", "monitoring.md"))
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ ExtensionProviders any }
	if err := yaml.Unmarshal(regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)[1], &told); err != nil {
		t.Fatal(err)
	}
	var used struct {
		Spec struct {
			Values struct {
				MeshConfig struct{ ExtensionProviders any }
			}
		}
	}
	if err := yaml.Unmarshal(fmt.Appendf(nil, settings, "east.example"), &used); err != nil {
		t.Fatal(err)
	}
	if told.ExtensionProviders == nil || !reflect.DeepEqual(told.ExtensionProviders, used.Spec.Values.MeshConfig.ExtensionProviders) {
		t.Errorf("the page says %v, the lab uses %v", told.ExtensionProviders, used.Spec.Values.MeshConfig.ExtensionProviders)
	}
}
