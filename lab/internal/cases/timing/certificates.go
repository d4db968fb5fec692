package timing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// life of certificates in these cases. Istio's agent renews them at half of it.
const life = 6 * time.Second

// shortLived gives workloads short-lived certificates, and long-lived ones again when the case is over.
func shortLived(t *T, carriers ...Workload) {
	for _, c := range carriers {
		t.Restore(func(ctx context.Context) error { return Rolled(ctx, c.Mesh, c.Namespace(), c.Name()) })
	}
	for _, c := range carriers {
		if c.Namespace() == federation.Boundary {
			t.ChangeObject(c.Mesh, t.Manifest(c.Mesh, "Deployment", c.Name()), expireSoon)
			continue
		}
		deployment := application(t, c)
		t.Restore(func(ctx context.Context) error { return c.Mesh.Put(ctx, deployment) })
		changed := deployment.DeepCopy()
		expireSoon(changed.Object)
		t.Must(c.Mesh.Put(t.Context(), changed))
	}
	for _, c := range carriers {
		t.Must(Rolled(t.Context(), c.Mesh, c.Namespace(), c.Name()))
	}
}

// application is the Deployment of a workload that is not the federation's, as it was applied.
func application(t *T, c Workload) *unstructured.Unstructured {
	current := &unstructured.Unstructured{}
	current.SetAPIVersion("apps/v1")
	current.SetKind("Deployment")
	current.SetNamespace(c.Namespace())
	current.SetName(c.Name())
	live, err := c.Mesh.Get(t.Context(), current)
	t.Must(err)
	for _, entry := range live.GetManagedFields() { // what its owner wrote, and nothing that was defaulted
		if entry.Manager == "lab" && entry.Operation == metav1.ManagedFieldsOperationApply {
			spec, _, _ := unstructured.NestedMap(live.Object, "spec")
			for _, defaulted := range []string{"progressDeadlineSeconds", "revisionHistoryLimit", "strategy"} {
				delete(spec, defaulted)
			}
			current.Object["spec"] = spec
			return current
		}
	}
	t.Must(fmt.Errorf("%s was not applied by the lab", c.Workload))
	return nil
}

// expireSoon adds the agent's setting to the annotation that configures the proxy.
func expireSoon(deployment map[string]any) {
	path := []string{"spec", "template", "metadata", "annotations"}
	annotations, _, _ := unstructured.NestedStringMap(deployment, path...)
	if annotations == nil {
		annotations = map[string]string{}
	}
	text := annotations["proxy.istio.io/config"]
	setting := fmt.Sprintf("proxyMetadata:\n  SECRET_TTL: %s\n", life)
	if strings.Contains(text, "proxyMetadata:\n") {
		text = strings.Replace(text, "proxyMetadata:\n", setting, 1)
	} else {
		text += setting
	}
	annotations["proxy.istio.io/config"] = text
	if err := unstructured.SetNestedStringMap(deployment, annotations, path...); err != nil {
		panic(err)
	}
}

// forwarded is the hash of the certificate that west's egress gateway presented, from the header that the backend
// received.
func forwarded(answer traffic.Answer) string {
	if answer.Seen == nil {
		return ""
	}
	for _, element := range strings.Split(Header(answer.Seen.Header, "x-forwarded-client-cert"), ",") {
		if strings.Contains(element, EgressID) {
			for _, field := range strings.Split(element, ";") {
				if hash, found := strings.CutPrefix(strings.TrimSpace(field), "Hash="); found {
					return hash
				}
			}
		}
	}
	return ""
}

func certificatesRenewed(t *T) {
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	t.OncePerConnection()
	shortLived(t, t.Ingress(), t.Egress(), t.Caller())
	t.Until(Productpage, "200", Reviews("/reviews/0"))
	load := load(t, 40)
	served, shown, called := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for end := time.Now().Add(2 * life); time.Now().Before(end); t.Pause(life / 16) {
		served[ParseChain(t.Try(Outside, ToIngress(GenuineWest)(t.Federation))[0].Certificates)[0].SerialNumber.String()] = true
		if hash := forwarded(t.Try(Productpage, Reviews("/reviews/0"))[0]); hash != "" {
			shown[hash] = true
		}
		own, err := CertificatesOf(t.Context(), t.West, Productpage.Workload)
		t.Must(err)
		called[own.Leaves["default"].SerialNumber.String()] = true
	}
	t.Steady(load)
	t.Logf("certificates in %s: ingress %d, egress %d, caller %d", 2*life, len(served), len(shown), len(called))
	if len(served) < 3 || len(shown) < 3 || len(called) < 3 { // the first renewal works also where a file is watched that is no longer there
		t.Errorf("not all certificates were renewed again and again")
	}
}

// trustChanges changes the file with the peers' CAs of the egress gateway, which must load every change, not only the
// first.
func trustChanges(t *T) {
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	t.OncePerConnection()
	foreign, err := pki.New("foreign")
	t.Must(err)
	own := t.Manifest(t.West, "ConfigMap", "fed-out-trust")
	wrong := own.DeepCopy()
	t.Must(unstructured.SetNestedField(wrong.Object, foreign.PEM, "data", "east.crt"))
	t.Restore(func(ctx context.Context) error { return t.West.PutOwn(ctx, own) })
	var took []string
	for _, change := range []struct {
		trust *unstructured.Unstructured
		want  string
	}{{wrong, "503"}, {own, "200"}, {wrong, "503"}, {own, "200"}} {
		t.Must(t.West.PutOwn(t.Context(), change.trust))
		took = append(took, fmt.Sprintf("%s %.1f s", change.want, t.Until(Productpage, change.want, Reviews("/reviews/0")).Seconds()))
	}
	t.Logf("%s after each change", strings.Join(took, ", "))
}

func authorityRotated(t *T) {
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	before, after := authorities(t)
	files := trusting(t, before.PEM+after.PEM, after.PEM)
	both, renewed := files[0], files[1]
	t.OncePerConnection()
	shortLived(t, t.Egress(), t.Caller())
	t.Restore(func(ctx context.Context) error { return plugOut(t, ctx) }) // before these two restart, with long-lived certificates
	t.Until(Productpage, "200", Reviews("/reviews/0"))
	load := load(t, 40)

	t.Restore(func(ctx context.Context) error {
		return t.East.PutOwn(ctx, t.Manifest(t.East, "ConfigMap", "fed-in-trust-west"))
	})
	t.Must(t.East.ApplyFile(t.Context(), both)) // east trusts both, before anything is issued by the new one
	t.Must(plugIn(t, before, before.PEM+after.PEM))
	t.Must(t.West.RestartIstiod(t.Context())) // it reads a plugged-in CA when it starts
	waitForCertificates(t, "west's own proxies trust both", func(c ProxyCertificates) bool { return len(c.Roots) == 2 })
	t.Must(plugIn(t, after, before.PEM+after.PEM))
	waitForCertificates(t, "west's proxies have certificates of the new CA", func(c ProxyCertificates) bool {
		for _, leaf := range c.Leaves {
			if leaf.CheckSignatureFrom(ParseChain(after.PEM)[0]) != nil {
				return false
			}
		}
		return true
	})
	old, next := issuedBy(before), issuedBy(after)
	t.Want(Outside, "200", ToIngress(old)(t.Federation), ToIngress(next)(t.Federation))
	began := time.Now()
	t.Must(t.East.ApplyFile(t.Context(), renewed))
	t.Must(WaitUntil(t.Context(), t.Federation, Outside, "alert: *", ToIngress(old)(t.Federation)))
	t.Logf("the old CA is rejected %.1f s after it was removed from the file", time.Since(began).Seconds())
	t.Want(Outside, "200", ToIngress(next)(t.Federation))
	t.Pause(time.Second)
	t.Steady(load)
}

// issuedBy issues a certificate for west's egress gateway with a CA.
func issuedBy(a *certificateAuthority) CertificateSource {
	return IssuedBy(func(*federation.Federation) (*pki.Authority, error) { return pki.Load([]byte(a.PEM), []byte(a.key)) }, pki.Request{SpiffeID: EgressID})
}

// certificateAuthority is a CA with its key, as a mesh's owner has it.
type certificateAuthority struct{ PEM, key string }

// authorities are west's own CA and the one that replaces it.
func authorities(t *T) (before, after *certificateAuthority) {
	secret, err := t.West.Client.CoreV1().Secrets(mesh.System).Get(t.Context(), "istio-ca-secret", metav1.GetOptions{})
	t.Must(err)
	before = &certificateAuthority{string(secret.Data["ca-cert.pem"]), string(secret.Data["ca-key.pem"])}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	t.Must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{Organization: []string{"west, the new one"}},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	t.Must(err)
	text, err := pki.KeyPEM(key)
	t.Must(err)
	return before, &certificateAuthority{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), text}
}

// trusting are east's files for a west with these roots, one for each.
func trusting(t *T, roots ...string) []string {
	directory := t.Directory()
	var group errgroup.Group
	files := make([]string, len(roots))
	for i, root := range roots {
		trust, output := filepath.Join(directory, fmt.Sprint("trust", i)), filepath.Join(directory, fmt.Sprint(i))
		files[i] = filepath.Join(output, t.Current(), "east.yaml")
		t.Must(os.CopyFS(trust, os.DirFS(t.Trust())))
		t.Must(os.WriteFile(filepath.Join(trust, "west.pem"), []byte(root), 0o644))
		group.Go(func() error { return t.Synthesise(t.Context(), trust, output, t.Current()) })
	}
	t.Must(group.Wait())
	return files
}

// plugIn configures the CA that istiod issues from, and the roots that workloads trust.
func plugIn(t *T, a *certificateAuthority, roots string) error {
	secret := &core.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "cacerts", Namespace: mesh.System},
		StringData: map[string]string{"ca-cert.pem": a.PEM, "ca-key.pem": a.key, "cert-chain.pem": a.PEM, "root-cert.pem": roots},
	}
	secrets := t.West.Client.CoreV1().Secrets(mesh.System)
	_, err := secrets.Create(t.Context(), secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = secrets.Update(t.Context(), secret, metav1.UpdateOptions{})
	}
	return err
}

// plugOut removes the plugged-in CA, so that istiod uses its generated CA again.
func plugOut(t *T, ctx context.Context) error {
	err := t.West.Client.CoreV1().Secrets(mesh.System).Delete(ctx, "cacerts", metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return t.West.RestartIstiod(ctx)
}

// waitForCertificates waits until something is true of the certificates of both proxies of west through which calls go.
func waitForCertificates(t *T, what string, condition func(ProxyCertificates) bool) {
	began := time.Now()
	for _, c := range []Workload{t.Egress(), t.Caller()} {
		t.Must(mesh.Wait(t.Context(), 15*time.Second, func() error {
			own, err := CertificatesOf(t.Context(), c.Mesh, c.Workload)
			if err == nil && !condition(own) {
				err = fmt.Errorf("%s: not so for %s, %s", what, c.Workload, own)
			}
			return err
		}))
	}
	t.Logf("%s after %.1f s", what, time.Since(began).Seconds())
}
