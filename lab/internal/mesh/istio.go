package mesh

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"istio.io/istio/manifests"
	"istio.io/istio/operator/pkg/helm"
	"istio.io/istio/operator/pkg/values"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"
)

// settings are the only values that differ from the charts' own, besides the CA that istiod trusts when it fetches
// issuers' keys. Metrics, metadata exchange and ALPN are disabled because the published Envoy lacks filters that Istio
// compiles into its own proxy.
const settings = `
spec:
  values:
    meshConfig:
      trustDomain: %s
      accessLogFile: /dev/stdout
      defaultProviders: {metrics: []}
      extensionProviders:
      - name: federation # as docs/how-to/monitoring.md has it
        envoyFileAccessLog:
          path: /dev/stdout
          logFormat:
            labels:
              start: "%%START_TIME%%"
              listener: "%%REQUESTED_SERVER_NAME%%"
              caller: "%%DOWNSTREAM_PEER_URI_SAN%%"
              serial: "%%DOWNSTREAM_PEER_SERIAL%%"
              tls: "%%DOWNSTREAM_TLS_VERSION%%"
              cipher: "%%DOWNSTREAM_TLS_CIPHER%%"
              address: "%%DOWNSTREAM_REMOTE_ADDRESS%%"
              method: "%%REQ(:METHOD)%%"
              path: "%%PATH(NQ)%%"
              status: "%%RESPONSE_CODE%%"
              flags: "%%RESPONSE_FLAGS%%"
              details: "%%RESPONSE_CODE_DETAILS%%"
              termination: "%%CONNECTION_TERMINATION_DETAILS%%"
              failure: "%%UPSTREAM_TRANSPORT_FAILURE_REASON%%"
              route: "%%ROUTE_NAME%%"
              request: "%%REQ(X-REQUEST-ID)%%"
              upstream: "%%UPSTREAM_HOST%%"
              cluster: "%%UPSTREAM_CLUSTER_RAW%%"
              server: "%%UPSTREAM_PEER_URI_SAN%%"
              received: "%%BYTES_RECEIVED%%"
              sent: "%%BYTES_SENT%%"
              milliseconds: "%%DURATION%%"
    env:
      PILOT_SCOPE_GATEWAY_TO_NAMESPACE: "true"
      PILOT_ENABLE_METADATA_EXCHANGE: "false"
      PILOT_ENABLE_ALPN_FILTER: "false"
      BLOCKED_CIDRS_IN_JWKS_URIS: 169.254.0.0/16
    sidecarInjectorWebhook:
      templates:
        spire: | # as docs/how-to/trust.md has it
          spec:
            volumes:
            - name: workload-socket
              csi: {driver: csi.spiffe.io, readOnly: true}
    global: {multiCluster: {clusterName: %s}}
    base: {enableIstioConfigCRDs: false}
`

// InstallIstio renders the charts of the pinned Istio and applies them.
func (m *Mesh) InstallIstio(ctx context.Context, kubernetes, keyServers string) error {
	crds, err := fs.ReadFile(manifests.FS, "charts/base/files/crd-all.gen.yaml")
	if err != nil {
		return err
	}
	text, err := render(m.TrustDomain(), m.Name, kubernetes, keyServers)
	if err != nil {
		return err
	}
	namespace := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n", System)
	if _, err := m.Kubectl(ctx, namespace+string(crds), "apply", "--server-side", "-f", "-"); err != nil {
		return err
	}
	_, err = m.Kubectl(ctx, text, "apply", "--server-side", "-f", "-")
	return err
}

func render(trustDomain, cluster, kubernetes, keyServers string) (string, error) {
	chosen := map[string]any{}
	if err := yaml.Unmarshal(fmt.Appendf(nil, settings, trustDomain, cluster), &chosen); err != nil {
		return "", err
	}
	if err := unstructured.SetNestedField(chosen, keyServers, "spec", "values", "jwksResolverExtraRootCA"); err != nil {
		return "", err
	}
	var text strings.Builder
	for name, directory := range map[string]string{"istio-base": "base", "istiod": "istio-control/istio-discovery"} {
		rendered, _, err := helm.Render(name, System, directory, values.Map(chosen), &version.Info{GitVersion: kubernetes, Major: "1", Minor: strings.Split(kubernetes, ".")[1]})
		if err != nil {
			return "", fmt.Errorf("chart %s: %w", directory, err)
		}
		for _, manifest := range rendered {
			text.WriteString("---\n" + manifest.Content + "\n")
		}
	}
	return text.String(), nil
}

// SetIstiod sets environment variables of istiod and waits until the new one is ready; an empty value removes a
// variable.
func (m *Mesh) SetIstiod(ctx context.Context, variables map[string]string) error {
	args := []string{"-n", System, "set", "env", "deployment/istiod"}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if variables[name] == "" {
			args = append(args, name+"-")
		} else {
			args = append(args, name+"="+variables[name])
		}
	}
	if _, err := m.Kubectl(ctx, "", args...); err != nil {
		return err
	}
	return m.IstiodReady(ctx)
}

// RestartIstiod replaces istiod, which then reads everything again and has empty caches.
func (m *Mesh) RestartIstiod(ctx context.Context) error {
	if _, err := m.Kubectl(ctx, "", "-n", System, "rollout", "restart", "deployment/istiod"); err != nil {
		return err
	}
	return m.IstiodReady(ctx)
}

// wrong is an object that the API server accepts and istiod rejects.
const wrong = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: lab-asks, namespace: istio-system}
spec: {rules: [{when: [{key: nothing, values: [x]}]}]}
`

// IstiodReady waits until only the new istiod runs, since the old one pushes until it ends, and until the API server
// reaches its webhook, without which it accepts no object of Istio.
func (m *Mesh) IstiodReady(ctx context.Context) error {
	if err := m.Ready(ctx, System); err != nil {
		return err
	}
	asked, err := Objects(wrong)
	if err != nil {
		return err
	}
	return Wait(ctx, time.Minute, func() error {
		pods, err := m.Client.CoreV1().Pods(System).List(ctx, metav1.ListOptions{LabelSelector: "app=istiod"})
		if err != nil {
			return err
		}
		if len(pods.Items) != 1 {
			return fmt.Errorf("mesh %s: %d istiods are running", m.Name, len(pods.Items))
		}
		if words, _ := m.Refuses(ctx, asked[0]); !strings.Contains(words, "validation.istio.io\" denied the request") {
			return fmt.Errorf("mesh %s: the API server does not call istiod's webhook: %q", m.Name, words)
		}
		return nil
	})
}

// SetTrustDomain changes the trust domain of the mesh. Workloads use it after a restart.
func (m *Mesh) SetTrustDomain(ctx context.Context, from, to string) error {
	text, err := m.meshConfig(ctx)
	if err != nil {
		return err
	}
	changed := strings.Replace(text, "trustDomain: "+from, "trustDomain: "+to, 1)
	if changed == text {
		return fmt.Errorf("the mesh config does not set the trust domain %s", from)
	}
	if err := m.setMeshConfig(ctx, changed); err != nil {
		return err
	}
	return m.RestartIstiod(ctx)
}

var pathNormalization = regexp.MustCompile(`(?m)^pathNormalization:\n  normalization: .*\n`)

// SetPathNormalization sets the path normalization of the mesh's proxies; the empty text is Istio's default. istiod
// reads it while it runs.
func (m *Mesh) SetPathNormalization(ctx context.Context, normalization string) error {
	text, err := m.meshConfig(ctx)
	if err != nil {
		return err
	}
	text = pathNormalization.ReplaceAllLiteralString(text, "")
	if normalization != "" {
		text = "pathNormalization:\n  normalization: " + normalization + "\n" + text
	}
	return m.setMeshConfig(ctx, text)
}

// Configure lays settings over the mesh config that the charts have written; the empty text restores that one. Maps are
// merged, lists of extension providers are joined, everything else is replaced. It reports whether anything changed:
// istiod reads the mesh config while it runs, but pods must be injected again.
func (m *Mesh) Configure(ctx context.Context, settings string) (bool, error) {
	config, err := m.Client.CoreV1().ConfigMaps(System).Get(ctx, "istio", metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	const saved = "mesh-of-the-charts" // istiod reads the key mesh only
	charts := config.Data[saved]
	if charts == "" {
		if settings == "" {
			return false, nil
		}
		charts = config.Data["mesh"]
	}
	text, keep := charts, ""
	if settings != "" {
		if text, err = overlay(charts, settings); err != nil {
			return false, err
		}
		keep = charts
	}
	if text == config.Data["mesh"] {
		return false, nil
	}
	patch, err := json.Marshal(map[string]any{"data": map[string]string{"mesh": text, saved: keep}})
	if err != nil {
		return false, err
	}
	_, err = m.Kubectl(ctx, "", "-n", System, "patch", "configmap/istio", "--patch", string(patch))
	return true, err
}

// overlay lays YAML over other YAML.
func overlay(under, over string) (string, error) {
	var base, settings map[string]any
	for text, into := range map[string]*map[string]any{under: &base, over: &settings} {
		if err := yaml.Unmarshal([]byte(text), into); err != nil {
			return "", err
		}
	}
	text, err := yaml.Marshal(merged(base, settings))
	return string(text), err
}

func merged(base, over map[string]any) map[string]any {
	for name, value := range over {
		switch value := value.(type) {
		case map[string]any:
			if below, ok := base[name].(map[string]any); ok {
				base[name] = merged(below, value)
				continue
			}
		case []any:
			if below, ok := base[name].([]any); ok && name == "extensionProviders" {
				base[name] = append(below, value...)
				continue
			}
		}
		base[name] = over[name]
	}
	return base
}

// meshConfig is the mesh config as istiod reads it.
func (m *Mesh) meshConfig(ctx context.Context) (string, error) {
	return m.Kubectl(ctx, "", "-n", System, "get", "configmap/istio", "-o", "jsonpath={.data.mesh}")
}

func (m *Mesh) setMeshConfig(ctx context.Context, text string) error {
	patch, err := json.Marshal(map[string]any{"data": map[string]string{"mesh": text}})
	if err != nil {
		return err
	}
	_, err = m.Kubectl(ctx, "", "-n", System, "patch", "configmap/istio", "--patch", string(patch))
	return err
}

// SaveRoot writes the root to a file.
func (m *Mesh) SaveRoot(ctx context.Context, path string) error {
	root, err := m.Root(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(root), 0o644)
}
