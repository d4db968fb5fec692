package kubelet

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

func TestAVolumeIsReplacedAsAWhole(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "volume")
	if err := swap(directory, content{"cert": []byte("1"), "key": []byte("1"), "deep/file": []byte("1")}); err != nil {
		t.Fatal(err)
	}
	if err := swap(directory, content{"cert": []byte("2"), "new": []byte("2")}); err != nil {
		t.Fatal(err)
	}
	var visible []string
	entries, _ := os.ReadDir(directory)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "..") {
			visible = append(visible, entry.Name())
		}
	}
	if !slices.Equal(visible, []string{"cert", "new"}) {
		t.Errorf("visible: %v", visible)
	}
	if data, _ := os.ReadFile(filepath.Join(directory, "cert")); string(data) != "2" {
		t.Errorf("cert is %q", data)
	}
}

func TestVariablesAreExpandedInCommandLines(t *testing.T) {
	got := expand([]string{"--domain", "$(NS).svc", "$$(NS)", "$(UNKNOWN)"}, map[string]string{"NS": "shop"})
	if want := []string{"--domain", "shop.svc", "$(NS)", "$(UNKNOWN)"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestAContainerKeepsTheRightsThatItsContextsLeaveIt(t *testing.T) {
	no, user := false, int64(1337)
	p := &pod{spec: &core.Pod{}}
	restricted := core.Container{SecurityContext: &core.SecurityContext{
		RunAsUser: &user, AllowPrivilegeEscalation: &no, Capabilities: &core.Capabilities{Drop: []core.Capability{"ALL"}, Add: []core.Capability{"NET_ADMIN"}},
	}}
	got := strings.Join(p.privileges(restricted, Image{User: 1000}), " ")
	if want := "setpriv --reuid 1337 --regid 1337 --clear-groups --inh-caps=-all --bounding-set=-all,+net_admin --no-new-privs --"; got != want {
		t.Errorf("%s", got)
	}
	if got := strings.Join(p.privileges(core.Container{}, Image{User: 1000}), " "); !strings.Contains(got, "--reuid 1000") || !strings.Contains(got, "--bounding-set=-all") {
		t.Errorf("%s", got)
	}
}

func TestShellWordsKeepQuotes(t *testing.T) {
	if got := shellWords([]string{"sh", "-c", "echo 'a b'"}); got != ` 'sh' '-c' 'echo '\''a b'\'''` {
		t.Errorf("%s", got)
	}
}
