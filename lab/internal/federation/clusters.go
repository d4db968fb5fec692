package federation

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/lab"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// severalClusters is the scenario in which west has a second cluster.
const (
	severalClusters = "several-clusters"
	secondCluster   = "west2"
)

// open connects to a cluster.
func (f *Federation) open(cluster string) (*mesh.Mesh, error) {
	return mesh.Open(cluster, lab.SiteOf(cluster).Mesh+".example", f.Lab.Kubeconfig(cluster), filepath.Join(f.Lab.Directory(), "bin", "kubectl"))
}

// changeClusters starts the second cluster of west for the scenario that needs it, and stops it before every other one.
func (f *Federation) changeClusters(ctx context.Context, scenario string) error {
	if scenario == severalClusters && f.West2 == nil {
		return f.addCluster(ctx)
	}
	if scenario != severalClusters && f.West2 != nil {
		return f.removeCluster(ctx)
	}
	return nil
}

// addCluster makes west a mesh of two clusters as Istio documents it (multi-primary, one network): each has an istiod that
// reads the other one's API server, and all certificates come from one root.
func (f *Federation) addCluster(ctx context.Context) error {
	added, err := f.startCluster(ctx)
	if err != nil {
		return errors.Join(err, f.removeCluster(context.WithoutCancel(ctx))) // a part of a cluster must not be used
	}
	f.West2 = added
	return nil
}

func (f *Federation) startCluster(ctx context.Context) (*mesh.Mesh, error) {
	if err := f.Lab.Start(ctx, secondCluster); err != nil {
		return nil, err
	}
	added, err := f.open(secondCluster)
	if err != nil {
		return nil, err
	}
	if err := f.shareRoot(ctx, added); err != nil {
		return nil, err
	}
	keyServers, err := os.ReadFile(filepath.Join(f.Trust(), KeyServers+".pem"))
	if err != nil {
		return nil, err
	}
	if err := f.install(ctx, added, string(keyServers)); err != nil {
		return nil, err
	}
	if err := f.letRead(ctx, f.West, added); err != nil {
		return nil, err
	}
	return added, f.letRead(ctx, added, f.West)
}

// ForgetCluster makes west's istiod forget the second cluster.
func (f *Federation) ForgetCluster(ctx context.Context) error {
	err := f.West.Client.CoreV1().Secrets(mesh.System).Delete(ctx, remoteSecretName(secondCluster), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// RememberCluster undoes ForgetCluster.
func (f *Federation) RememberCluster(ctx context.Context) error {
	return f.letRead(ctx, f.West, f.West2)
}

// removeCluster ends the second cluster.
func (f *Federation) removeCluster(ctx context.Context) error {
	if err := f.ForgetCluster(ctx); err != nil {
		return err
	}
	f.Lab.Stop(secondCluster)
	delete(f.applied, secondCluster)
	delete(f.apps, secondCluster)
	f.West2 = nil
	return nil
}

// shareRoot gives the second cluster an intermediate CA below the root of the first one, before its istiod starts.
func (f *Federation) shareRoot(ctx context.Context, second *mesh.Mesh) error {
	root, err := f.West.Authority(ctx)
	if err != nil {
		return err
	}
	intermediate, err := root.Intermediate(second.Name)
	if err != nil {
		return err
	}
	key, err := intermediate.Key()
	if err != nil {
		return err
	}
	system := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: mesh.System}}
	if _, err := second.Client.CoreV1().Namespaces().Create(ctx, system, metav1.CreateOptions{}); err != nil {
		return err
	}
	_, err = second.Client.CoreV1().Secrets(mesh.System).Create(ctx, &core.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "cacerts", Namespace: mesh.System},
		StringData: map[string]string{
			"ca-cert.pem": intermediate.PEM, "ca-key.pem": key, "root-cert.pem": root.PEM, "cert-chain.pem": intermediate.PEM + root.PEM,
		},
	}, metav1.CreateOptions{})
	return err
}

// letRead lets the istiod of one cluster read another one, as `istioctl create-remote-secret` does.
func (f *Federation) letRead(ctx context.Context, reader, read *mesh.Mesh) error {
	validity := int64(24 * 60 * 60)
	token, err := read.Client.CoreV1().ServiceAccounts(mesh.System).CreateToken(ctx, "istio-reader-service-account",
		&authentication.TokenRequest{Spec: authentication.TokenRequestSpec{ExpirationSeconds: &validity}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(f.Lab.Authority(read.Name))
	if err != nil {
		return err
	}
	kubeconfig, err := yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": read.Name,
		"clusters": []any{map[string]any{"name": read.Name, "cluster": map[string]any{"server": read.Server(), "certificate-authority-data": authority}}},
		"users":    []any{map[string]any{"name": read.Name, "user": map[string]any{"token": token.Status.Token}}},
		"contexts": []any{map[string]any{"name": read.Name, "context": map[string]any{"cluster": read.Name, "user": read.Name}}},
	})
	if err != nil {
		return err
	}
	_, err = reader.Client.CoreV1().Secrets(mesh.System).Create(ctx, &core.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: remoteSecretName(read.Name), Namespace: mesh.System, Labels: map[string]string{"istio/multiCluster": "true"}},
		Data:       map[string][]byte{read.Name: kubeconfig},
	}, metav1.CreateOptions{})
	return err
}

func remoteSecretName(cluster string) string { return "istio-remote-secret-" + cluster }
