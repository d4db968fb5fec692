// Package spiffe replaces SPIRE on one node: its agent, and its CSI driver. Each pod that mounts the driver's volume
// finds a socket in it, on which its Envoy gets its certificate and the roots of the trust domain by Envoy's Secret
// Discovery Service, under the names and in the form of SPIRE's configuration for Istio.
//
// Missing: attestation, since the driver knows the pod of each volume, and renewal. A certificate is valid for an hour.
package spiffe

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	envoycore "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secret "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"
	core "k8s.io/api/core/v1"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// Driver is the name of SPIRE's CSI driver.
const Driver = "csi.spiffe.io"

// Names in Envoy's configuration that Istio writes.
const (
	certificate = "default"
	roots       = "ROOTCA"
)

// Agent issues certificates to the pods of one trust domain.
type Agent struct {
	TrustDomain string
	// CA is the path of the CA without extension: its certificate ends in .pem and its key in .key. They are read for
	// each pod.
	CA string
}

// Publish puts the socket of a pod into the directory of its volume, and answers on it until the context ends.
func (a Agent) Publish(ctx context.Context, directory string, pod *core.Pod) error {
	own, err := a.secrets(fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", a.TrustDomain, pod.Namespace, pod.Spec.ServiceAccountName))
	if err != nil {
		return err
	}
	listener, err := listen(directory)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	secret.RegisterSecretDiscoveryServiceServer(server, discoveryServer{own: own})
	context.AfterFunc(ctx, server.Stop)
	go server.Serve(listener)
	return nil
}

// listen opens the socket by way of its directory, because the whole path can be longer than a socket's may be.
func listen(directory string) (net.Listener, error) {
	opened, err := os.Open(directory)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	listener, err := net.Listen("unix", fmt.Sprintf("/proc/self/fd/%d/socket", opened.Fd()))
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false) // the directory of the path is closed then
	return listener, os.Chmod(filepath.Join(directory, "socket"), 0o777)
}

func (a Agent) secrets(id string) (map[string]*tls.Secret, error) {
	cert, err := os.ReadFile(a.CA + ".pem")
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(a.CA + ".key")
	if err != nil {
		return nil, err
	}
	authority, err := pki.Load(cert, key)
	if err != nil {
		return nil, err
	}
	leaf, err := authority.Issue(pki.Request{SpiffeID: id})
	if err != nil {
		return nil, err
	}
	validator, err := anypb.New(&tls.SPIFFECertValidatorConfig{TrustDomains: []*tls.SPIFFECertValidatorConfig_TrustDomain{
		{Name: a.TrustDomain, TrustBundle: inline(authority.PEM)},
	}})
	if err != nil {
		return nil, err
	}
	return map[string]*tls.Secret{
		certificate: {Name: certificate, Type: &tls.Secret_TlsCertificate{TlsCertificate: &tls.TlsCertificate{
			CertificateChain: inline(leaf.Cert), PrivateKey: inline(leaf.Key),
		}}},
		roots: {Name: roots, Type: &tls.Secret_ValidationContext{ValidationContext: &tls.CertificateValidationContext{
			CustomValidatorConfig: &envoycore.TypedExtensionConfig{Name: "envoy.tls.cert_validator.spiffe", TypedConfig: validator},
		}}},
	}, nil
}

func inline(text string) *envoycore.DataSource {
	return &envoycore.DataSource{Specifier: &envoycore.DataSource_InlineBytes{InlineBytes: []byte(text)}}
}

// discoveryServer answers the proxy of one pod. Nothing changes after the first answer.
type discoveryServer struct {
	secret.UnimplementedSecretDiscoveryServiceServer
	own map[string]*tls.Secret
}

func (s discoveryServer) StreamSecrets(stream secret.SecretDiscoveryService_StreamSecretsServer) error {
	for {
		request, err := stream.Recv()
		if err != nil {
			return err
		}
		if request.GetResponseNonce() != "" {
			continue // accepts or rejects what it has got
		}
		answer := &discovery.DiscoveryResponse{VersionInfo: "1", Nonce: "1", TypeUrl: request.GetTypeUrl()}
		for _, name := range request.GetResourceNames() {
			if s.own[name] == nil {
				continue
			}
			resource, err := anypb.New(s.own[name])
			if err != nil {
				return err
			}
			answer.Resources = append(answer.Resources, resource)
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}
