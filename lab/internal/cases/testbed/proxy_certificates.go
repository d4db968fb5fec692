package testbed

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// ProxyCertificates are the certificates that a proxy presents, and the roots that it trusts inside its mesh. The
// egress gateway has two certificates: one for its own mesh, and one for peers, from a file that the agent writes.
type ProxyCertificates struct {
	Leaves map[string]*x509.Certificate // by the name that the proxy has for it
	Roots  []*x509.Certificate
}

func (h ProxyCertificates) String() string {
	text := fmt.Sprintf("with %d roots", len(h.Roots))
	for _, name := range slices.Sorted(maps.Keys(h.Leaves)) {
		text += fmt.Sprintf(", %s of %s by %s", name, h.Leaves[name].NotBefore.Format(time.TimeOnly), h.Leaves[name].Issuer)
	}
	return text
}

// CertificatesOf reads the certificates of a workload's proxy from Envoy's admin interface.
func CertificatesOf(ctx context.Context, m *mesh.Mesh, workload string) (ProxyCertificates, error) {
	out, err := m.Admin(ctx, workload, "config_dump?resource=dynamic_active_secrets")
	if err != nil {
		return ProxyCertificates{}, err
	}
	var dump struct {
		Configs []struct {
			Secret struct {
				Name string
				TLS  struct {
					Chain embedded `json:"certificate_chain"`
				} `json:"tls_certificate"`
				Context struct {
					CA     embedded `json:"trusted_ca"`
					Custom struct {
						Config struct {
							Domains []struct {
								Bundle embedded `json:"trust_bundle"`
							} `json:"trust_domains"`
						} `json:"typed_config"`
					} `json:"custom_validator_config"` // of a SPIFFE agent
				} `json:"validation_context"`
			}
		}
	}
	if start := strings.Index(out, "{"); start > 0 {
		out = out[start:] // the agent prints a line about itself first
	}
	if err := json.Unmarshal([]byte(out), &dump); err != nil {
		return ProxyCertificates{}, fmt.Errorf("secrets of %s: %w", workload, err)
	}
	found := ProxyCertificates{Leaves: map[string]*x509.Certificate{}}
	for _, config := range dump.Configs {
		if text := config.Secret.TLS.Chain.text(); text != "" {
			found.Leaves[config.Secret.Name] = ParseChain(text)[0]
		}
		if config.Secret.Name == "ROOTCA" {
			if text := config.Secret.Context.CA.text(); text != "" {
				found.Roots = ParseChain(text)
			}
			for _, domain := range config.Secret.Context.Custom.Config.Domains {
				found.Roots = append(found.Roots, ParseChain(domain.Bundle.text())...)
			}
		}
	}
	if len(found.Leaves) == 0 || found.Roots == nil {
		return found, fmt.Errorf("the proxy of %s has no certificate yet", workload)
	}
	return found, nil
}

type embedded struct {
	Bytes string `json:"inline_bytes"`
}

func (i embedded) text() string {
	data, _ := base64.StdEncoding.DecodeString(i.Bytes)
	return string(data)
}
