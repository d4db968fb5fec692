package federation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// Credential is a Secret with the certificate that a gateway presents when its mesh's own CA does not issue it. The lab
// has no cert-manager: it writes the Secrets that the Certificates name, and those that an owner provides. A name
// without a namespace is in the boundary's.
type Credential struct{ Secret, Authority, SpiffeID string }

// Credentials by scenario and mesh: the ingress gateway's, then the egress gateway's.
var Credentials = map[string]map[string][]Credential{
	"existing-gateways": {
		"west": {
			{"istio-ingress/federation-ingress-tls", "west-boundary", "spiffe://boundary.west.example/ns/istio-ingress/sa/shared"},
			{"partner-egress", "west-boundary", "spiffe://boundary.west.example/ns/istio-federation/sa/federation-egress"},
		},
	},
	Spire: {
		"east": {
			{"federation-ingress-tls", "east-boundary", "spiffe://spire.east.example/ns/istio-federation/sa/federation-ingress"},
		},
		"west": {
			{"federation-egress-tls", "west-boundary", "spiffe://spire.west.example/ns/istio-federation/sa/federation-egress"},
		},
	},
	"separate-authorities": {
		"east": {
			{"federation-ingress-tls", "east-boundary", "spiffe://boundary.east.example/ns/istio-federation/sa/federation-ingress"},
			{"federation-egress-tls", "east-boundary", "spiffe://boundary.east.example/ns/istio-federation/sa/federation-egress"},
		},
		"west": {
			{"partner-ingress", "west-boundary", "spiffe://boundary.west.example/ns/istio-federation/sa/federation-ingress"},
			{"partner-egress", "west-boundary", "spiffe://boundary.west.example/ns/istio-federation/sa/federation-egress"},
		},
	},
}

// foundBoundaries creates CAs for boundaries, and an empty revocation list.
func (f *Federation) foundBoundaries() error {
	for _, name := range []string{"east-boundary", "east-boundary-next", "west-boundary"} {
		authority, err := pki.New(name)
		if err != nil {
			return err
		}
		key, err := authority.Key()
		if err != nil {
			return err
		}
		list, err := authority.Revoke(time.Now().Add(24 * time.Hour))
		if err != nil {
			return err
		}
		if err := f.keep(map[string]string{name + ".pem": authority.PEM, name + ".key": key, name + ".crl": list}); err != nil {
			return err
		}
	}
	return nil
}

// foundWorkloadCAs creates the CAs of pods that mount an agent's socket.
func (f *Federation) foundWorkloadCAs() error {
	for _, m := range []*mesh.Mesh{f.East, f.West, f.North} {
		authority, err := pki.New(m.Name + " workloads")
		if err != nil {
			return err
		}
		key, err := authority.Key()
		if err != nil {
			return err
		}
		for extension, text := range map[string]string{".pem": authority.PEM, ".key": key} {
			if err := os.WriteFile(f.Lab.WorkloadCA(m.Name)+extension, []byte(text), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// WorkloadCA is the CA of the pods of a mesh that mount an agent's socket.
func (f *Federation) WorkloadCA(meshName string) (*pki.Authority, error) {
	return authorityOf(f.Lab.WorkloadCA(meshName))
}

// Authority is the CA of a boundary, by name.
func (f *Federation) Authority(name string) (*pki.Authority, error) {
	return authorityOf(filepath.Join(f.Trust(), name))
}

func authorityOf(path string) (*pki.Authority, error) {
	cert, err := os.ReadFile(path + ".pem")
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(path + ".key")
	if err != nil {
		return nil, err
	}
	return pki.Load(cert, key)
}

// PutCredentials issues the certificates that the gateways of a scenario present, before their pods need them.
func (f *Federation) PutCredentials(ctx context.Context, m *mesh.Mesh, scenario string) error {
	for other, meshes := range Credentials {
		if other == scenario {
			continue
		}
		for _, credential := range meshes[m.Name] {
			namespace, name := placeOf(credential.Secret)
			err := m.Client.CoreV1().Secrets(namespace).Delete(ctx, name, metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
		}
	}
	for _, credential := range Credentials[scenario][m.Name] {
		authority, err := f.Authority(credential.Authority)
		if err != nil {
			return err
		}
		leaf, err := authority.Issue(pki.Request{SpiffeID: credential.SpiffeID})
		if err != nil {
			return err
		}
		if err := PutCredential(ctx, m, credential.Secret, leaf); err != nil {
			return err
		}
	}
	return nil
}

// keepRoots does what trust-manager does in a mesh: it stores the roots of a peer in a ConfigMap.
func (f *Federation) keepRoots(ctx context.Context, m *mesh.Mesh, scenario string) error {
	if m != f.West {
		return nil
	}
	if scenario != "external-roots" {
		err := m.Client.CoreV1().ConfigMaps(Boundary).Delete(ctx, KeptRoots, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	}
	root, err := os.ReadFile(filepath.Join(f.Trust(), "east.pem"))
	if err != nil {
		return err
	}
	return PutRoots(ctx, m, string(root))
}

// KeptRoots is the externally managed ConfigMap with east's roots in west.
const KeptRoots = "east-roots"

// PutRoots writes it.
func PutRoots(ctx context.Context, m *mesh.Mesh, roots string) error {
	if err := ensureBoundary(ctx, m); err != nil {
		return err
	}
	object := &core.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: KeptRoots, Namespace: Boundary}, Data: map[string]string{"ca.crt": roots}}
	configMaps := m.Client.CoreV1().ConfigMaps(Boundary)
	_, err := configMaps.Create(ctx, object, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = configMaps.Update(ctx, object, metav1.UpdateOptions{})
	}
	return err
}

// ensureBoundary creates the boundary's namespace, which the manifests apply a little later.
func ensureBoundary(ctx context.Context, m *mesh.Mesh) error {
	namespace := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Boundary}}
	if _, err := m.Client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("namespace of the boundary: %w", err)
	}
	return nil
}

// PutCredential writes one Secret, as cert-manager does at every renewal.
func PutCredential(ctx context.Context, m *mesh.Mesh, name string, leaf pki.Leaf) error {
	if err := ensureBoundary(ctx, m); err != nil {
		return err
	}
	namespace, name := placeOf(name)
	secret := &core.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Type:       core.SecretTypeTLS,
		StringData: map[string]string{core.TLSCertKey: leaf.Cert, core.TLSPrivateKeyKey: leaf.Key},
	}
	secrets := m.Client.CoreV1().Secrets(namespace)
	_, err := secrets.Create(ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = secrets.Update(ctx, secret, metav1.UpdateOptions{})
	}
	return err
}

func placeOf(name string) (namespace, own string) {
	if namespace, own, found := strings.Cut(name, "/"); found {
		return namespace, own
	}
	return Boundary, name
}
