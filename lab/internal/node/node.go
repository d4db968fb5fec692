// Package node is a whole cluster on one host: etcd, kube-apiserver, kube-controller-manager and kube-proxy as
// released, and replacements for the kubelet, DNS, and the controller that assigns addresses to load balancers.
package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/kubelet"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/network"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/spiffe"
)

// Networks are the private networks of a cluster.
type Networks struct {
	Pods, Services string
	APIService     string // where pods find the API server
}

// Config is the configuration of a node's process, in a file.
type Config struct {
	LabID           int
	Name            string
	Host            network.Host
	Address         string              // outside
	PublicAddresses []string            // for Services of type LoadBalancer, all of them for each
	PublicNames     map[string][]string // names in the public DNS
	Networks        Networks
	Directory       string
	Binaries        string
	Kubernetes      string // version
	Token           string // of the administrator
	Images          []kubelet.Image
	Workloads       spiffe.Agent // for pods that mount its socket
}

// Kubeconfig is the administrator's, also for use outside of the lab.
func (c Config) Kubeconfig() string { return filepath.Join(c.Directory, "kubeconfig") }

// Write writes the configuration to the file that Run reads.
func (c Config) Write() (string, error) {
	if err := os.MkdirAll(filepath.Join(c.Directory, "pki"), 0o755); err != nil {
		return "", err
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.Directory, "node.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", err
	}
	kubeconfig := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: %[1]s, cluster: {server: "https://%[2]s:6443", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: %[3]s}}]
contexts: [{name: %[1]s, context: {cluster: %[1]s, user: admin}}]
current-context: %[1]s
`, c.Name, c.Address, c.Token)
	return path, os.WriteFile(c.Kubeconfig(), []byte(kubeconfig), 0o600)
}

// Run is the node's process; it ends when the context does, or when one of its parts fails.
func Run(ctx context.Context, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var c Config
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	serving, err := c.keys()
	if err != nil {
		return err
	}
	if err := c.Host.Masquerade(c.Networks.Pods); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(c.program(ctx, "etcd", "--data-dir", c.file("etcd"), "--unsafe-no-fsync", "--log-level", "warn"))
	group.Go(c.program(ctx, "kube-apiserver", c.apiserver()...))
	client, err := c.connect(ctx)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := kubelet.New(kubelet.Config{
		Node: c.Name, LabID: c.LabID, Host: c.Host, Address: c.Address, PodNetwork: c.Networks.Pods, APIServiceIP: c.Networks.APIService, Version: c.Kubernetes,
		Directory: c.file("pods"), Self: filepath.Join(c.Binaries, "lab"), Images: c.Images, Log: os.Stderr,
		Drivers: map[string]kubelet.Driver{spiffe.Driver: c.Workloads},
	}, client, factory)
	names := newDNS(c, factory)
	balancers := newBalancers(c, client, factory)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if err := pods.Register(ctx); err != nil {
		return err
	}
	group.Go(c.program(ctx, "kube-controller-manager", c.controllers()...))
	group.Go(c.program(ctx, "kube-proxy", "--kubeconfig", c.Kubeconfig(), "--hostname-override", c.Name, "--cluster-cidr", c.Networks.Pods,
		"--proxy-mode", "iptables", "--conntrack-max-per-core", "0", "--conntrack-tcp-timeout-established", "0s",
		"--conntrack-tcp-timeout-close-wait", "0s", "--healthz-bind-address", "", "--metrics-bind-address", "", "--iptables-min-sync-period", "100ms"))
	group.Go(func() error { return names.serve(ctx) })
	group.Go(func() error { return balancers.run(ctx) })
	group.Go(func() error { return pods.Serve(ctx, serving) })
	group.Go(func() error { pods.Run(ctx); return nil })
	return group.Wait()
}

func (c Config) file(name string) string { return filepath.Join(c.Directory, name) }
func (c Config) pki(name string) string  { return filepath.Join(c.Directory, "pki", name) }

func (c Config) apiserver() []string {
	return []string{
		"--etcd-servers=http://127.0.0.1:2379", "--bind-address=0.0.0.0", "--secure-port=6443", "--advertise-address=" + c.Address,
		"--cert-dir=" + c.file("pki"), "--service-cluster-ip-range=" + c.Networks.Services,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.pki("accounts.key"), "--service-account-signing-key-file=" + c.pki("accounts.key"),
		"--token-auth-file=" + c.pki("tokens.csv"), "--authorization-mode=RBAC",
		"--kubelet-certificate-authority=" + c.pki("kubelet-ca.crt"),
		"--kubelet-client-certificate=" + c.pki("kubelet-client.crt"), "--kubelet-client-key=" + c.pki("kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged=true", "--profiling=false",
	}
}

// controllers are those that the lab needs, of the real kube-controller-manager.
func (c Config) controllers() []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig(), "--leader-elect=false", "--root-ca-file=" + c.pki("apiserver.crt"), "--bind-address=127.0.0.1",
		"--controllers=deployment-controller,replicaset-controller,endpointslice-controller,serviceaccount-controller,namespace-controller," +
			"root-ca-certificate-publisher-controller,garbage-collector-controller,disruption-controller,validatingadmissionpolicy-status-controller",
		"--kube-api-qps=500", "--kube-api-burst=1000", "--profiling=false", "--endpointslice-updates-batch-period=100ms",
	}
}

// keys creates the credentials of the API server and the kubelet, and the key that signs tokens.
func (c Config) keys() (*tls.Config, error) {
	authority, err := pki.New("lab kubelet of " + c.Name)
	if err != nil {
		return nil, err
	}
	client, err := authority.Issue(pki.Request{NotAfter: time.Now().Add(24 * time.Hour)})
	if err != nil {
		return nil, err
	}
	server, err := authority.Issue(pki.Request{NotAfter: time.Now().Add(24 * time.Hour), IPs: []net.IP{net.ParseIP(c.Address)}})
	if err != nil {
		return nil, err
	}
	accounts, err := pki.NewKey()
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"accounts.key": accounts, "kubelet-ca.crt": authority.PEM, "kubelet-client.crt": client.Cert, "kubelet-client.key": client.Key,
		"tokens.csv": c.Token + ",admin,1,system:masters\n",
	} {
		if err := os.WriteFile(c.pki(name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	certificate, err := tls.X509KeyPair([]byte(server.Cert), []byte(server.Key))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(authority.PEM))
	return &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}, err
}

// program runs one of the published programs on this host until the context ends.
func (c Config) program(ctx context.Context, name string, args ...string) func() error {
	return func() error {
		output, err := os.Create(c.file(name + ".log"))
		if err != nil {
			return err
		}
		defer output.Close()
		command := exec.CommandContext(ctx, filepath.Join(c.Binaries, name), args...)
		command.Stdout, command.Stderr = output, output
		command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
		command.WaitDelay = 3 * time.Second
		if err := command.Run(); ctx.Err() == nil {
			return fmt.Errorf("%s of mesh %s ended: %v (its log: %s)", name, c.Name, err, c.file(name+".log"))
		}
		return nil
	}
}

// connect waits for the API server.
func (c Config) connect(ctx context.Context) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 500, 1000
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	for {
		if _, err = client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err == nil {
			return client, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the API server of mesh %s does not become ready: %w (%v)", c.Name, err, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
