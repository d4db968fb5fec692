package leaks

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// bystander is a workload with a sidecar in a namespace without bindings.
func bystander(t *T) {
	CreateTenant(t, t.West)
	t.Put(t.West, PodOf("bystander", true))
	t.Must(t.West.Ready(t.Context(), "tenant"))
	dump := EnvoyAdmin(t, t.West, "tenant/bystander", "config_dump?include_eds")
	for _, name := range []string{ReviewsSNI, BindingSNI, EgressHost, ReviewsHost, "east.example", "federation-egress", "fed.west"} {
		if strings.Contains(dump, name) {
			t.Errorf("its proxy has %s", name)
		}
	}
	if known := EnvoyAdmin(t, t.West, "default/productpage", "config_dump?include_eds"); !strings.Contains(known, BindingSNI) {
		t.Errorf("the caller's proxy does not have %s either, so this case has no meaning", BindingSNI)
	}
	t.Want(Caller("west", "tenant/bystander"), "404 | 502 | 503 | closed | reset | timeout | name", traffic.Probe{URL: "http://reviews.default:9080/reviews/0"})
	t.Logf("%d bytes of configuration contain no name of the federation", len(dump))
}

// trustStays searches the configuration of the proxies for the peer's root certificate.
func trustStays(t *T) {
	for _, place := range []struct {
		mesh      *mesh.Mesh
		config    string
		key       string
		gateway   string
		workloads []string
	}{
		{t.East, "fed-in-trust-west", "ca.crt", GatewayOf("east"), []string{"default/reviews", "default/ratings"}},
		{t.West, "fed-out-trust", "east.crt", GatewayOf("west"), []string{"default/productpage", "default/other"}},
	} {
		root, _, err := unstructured.NestedString(t.Manifest(place.mesh, "ConfigMap", place.config).Object, "data", place.key)
		t.Must(err)
		if !hasCertificate(t, place.mesh, place.gateway, root) {
			t.Errorf("the gateway %s does not have the peer's root either, so this case has no meaning", place.gateway)
		}
		for _, workload := range place.workloads {
			if hasCertificate(t, place.mesh, workload, root) {
				t.Errorf("%s of %s holds the peer's root", workload, place.mesh.Name)
			}
		}
	}
	t.Logf("both gateways have the peer's root certificate, the four workloads do not")
}

var inline = regexp.MustCompile(`"inline_(?:bytes|string)": "([^"]+)"`)

// hasCertificate reports whether the configuration of a proxy contains a certificate.
func hasCertificate(t *T, m *mesh.Mesh, workload, certificate string) bool {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		t.Must(fmt.Errorf("no certificate: %q", certificate))
	}
	wanted := base64.StdEncoding.EncodeToString(block.Bytes)
	for _, found := range inline.FindAllStringSubmatch(EnvoyAdmin(t, m, workload, "config_dump"), -1) {
		text := found[1]
		if decoded, err := base64.StdEncoding.DecodeString(text); err == nil {
			text = string(decoded)
		}
		if strings.Contains(strings.NewReplacer("\n", "", `\n`, "").Replace(text), wanted) {
			return true
		}
	}
	return false
}

func noSecrets(t *T) {
	for _, m := range []*mesh.Mesh{t.East, t.West} {
		secrets, err := m.Client.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{})
		t.Must(err)
		for _, s := range secrets.Items {
			if s.Name != "istio-ca-secret" { // the mesh's own CA
				t.Errorf("mesh %s has the Secret %s/%s of type %s", m.Name, s.Namespace, s.Name, s.Type)
			}
		}
		configs, err := m.Client.CoreV1().ConfigMaps("istio-federation").List(t.Context(), metav1.ListOptions{})
		t.Must(err)
		for _, c := range configs.Items {
			for key, value := range c.Data {
				if strings.Contains(value, "PRIVATE KEY") {
					t.Errorf("mesh %s: ConfigMap %s holds a private key in %s", m.Name, c.Name, key)
				}
			}
		}
		t.Logf("%s: %d Secret, that of its own CA; %d ConfigMaps without keys", m.Name, len(secrets.Items), len(configs.Items))
	}
}

func noTokens(t *T) {
	for _, m := range []*mesh.Mesh{t.East, t.West} {
		pod, err := m.Pod(t.Context(), GatewayOf(m.Name))
		t.Must(err)
		for _, volume := range pod.Spec.Volumes {
			if volume.Secret != nil {
				t.Errorf("mesh %s: the gateway mounts the Secret %s", m.Name, volume.Secret.SecretName)
			}
		}
		tokens := tokensIn(pod)
		if strings.Join(tokens, " ") != "istio-ca" {
			t.Errorf("mesh %s: the gateway has tokens for %v", m.Name, tokens)
		}
		files, err := m.Exec(t.Context(), pod, "istio-proxy", nil, "ls", "-R", "/var/run/secrets")
		t.Must(err)
		if strings.Contains(files, "kubernetes.io") || strings.Count(files, "istio-token") == 0 {
			t.Errorf("mesh %s: the gateway's secrets are %s", m.Name, files)
		}
		t.Logf("%s: one token, for istio-ca only", m.Name)
	}
}

// tokensIn are the audiences of the tokens in a pod.
func tokensIn(pod *core.Pod) []string {
	var audiences []string
	for _, volume := range pod.Spec.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.ServiceAccountToken != nil {
				audiences = append(audiences, source.ServiceAccountToken.Audience)
			}
		}
	}
	return audiences
}
