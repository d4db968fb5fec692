package main

import (
	"os"
	"strconv"
	"testing"

	"github.com/aws/jsii-runtime-go"
	federation "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation-go/cdk8smeshfederation"
	"github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2"
)

// test/languages/values.ts in Go.
func values() cdk8s.App {
	app := cdk8s.NewApp(nil)
	bank := federation.NewFederatedMesh(cdk8s.NewChart(app, jsii.String("bank"), nil), jsii.String("Mesh"), &federation.FederatedMeshProps{
		MeshName:    jsii.String("bank"),
		TrustDomain: jsii.String("bank.example"),
		TrustBundle: trust("east"),
		Endpoints: &[]*federation.GatewayEndpoint{{
			Address:        jsii.String("10.0.0.1"),
			Port:           jsii.Number(443),
			PrivateAddress: &federation.Justification{Reason: jsii.String("a leased line to the shop")},
		}},
		IstioVersion:    federation.IstioVersion_V1_31(),
		Delivery:        federation.Delivery_ArgoCd(),
		CreateNamespace: jsii.Bool(false),
		Credential: federation.GatewayCredential_FromCertManager(&federation.CertManagerOptions{
			IssuerName:   jsii.String("boundary"),
			KeyAlgorithm: federation.KeyAlgorithm_ECDSA_P384,
			Duration:     cdk8s.Duration_Days(jsii.Number(2)),
		}),
		IngressGateway: federation.BoundaryGateway_Dedicated(&federation.DedicatedGatewayOptions{
			MinReplicas: jsii.Number(3),
			Labels:      &map[string]*string{"tier": jsii.String("edge"), "team": jsii.String("platform")},
			Tolerations: &[]federation.NodeToleration{federation.NodeToleration_Exists(jsii.String("dmz"), nil)},
			ServiceType: federation.GatewayServiceType_NODE_PORT,
		}),
	})
	shop := federation.NewRemoteMesh(app, jsii.String("Shop"), &federation.RemoteMeshProps{
		MeshName:        jsii.String("shop"),
		TrustDomain:     jsii.String("shop.example"),
		TrustBundle:     trust("west"),
		IngressIdentity: federation.SpiffeId_Parse(jsii.String("spiffe://shop.example/ns/istio-federation/sa/federation-ingress")),
		EgressIdentity: federation.SpiffeId_ForServiceAccount(&federation.ServiceAccountIdentity{
			TrustDomain:        jsii.String("shop.example"),
			NamespaceName:      jsii.String("istio-federation"),
			ServiceAccountName: jsii.String("federation-egress"),
		}),
		Endpoints: &[]*federation.GatewayEndpoint{{Address: jsii.String("federation.shop.example")}},
		ExposedServices: &[]*federation.RemoteServiceProps{{
			ExportName: jsii.String("orders"),
			Ports: &[]federation.ServicePort{
				federation.ServicePort_Http(jsii.Number(8080), nil),
				federation.ServicePort_Tcp(jsii.Number(9000), &federation.ServicePortOptions{ExportPort: jsii.Number(19000)}),
			},
		}},
		KnownAs: jsii.String("bank"),
	})
	bank.AddPeer(shop, &federation.AddPeerOptions{
		StripTracing: jsii.Bool(true),
		Limits:       &federation.PeerLimits{MaxConnections: jsii.Number(100), MaxConnectionDuration: cdk8s.Duration_Hours(jsii.Number(1))},
	})

	accounts := bank.Expose(jsii.String("Accounts"), &federation.ExposedServiceOptions{
		Service:    federation.LocalService_FromName(jsii.String("accounts"), jsii.String("ledger")),
		ExportName: jsii.String("accounts.v1"),
		Ports: &[]federation.ServicePort{
			federation.ServicePort_Http(jsii.Number(8080), nil),
			federation.ServicePort_Grpc(jsii.Number(9090), nil),
		},
		RequestTimeout: cdk8s.Duration_Seconds(jsii.Number(5)),
	})
	accounts.AllowFrom(shop, &federation.AllowFromOptions{
		Ports: jsii.Numbers(8080),
		Http: &[]federation.HttpRule{federation.HttpRule_Allow(&federation.HttpRuleOptions{
			Paths:           jsii.Strings("/accounts/*"),
			ExceptPaths:     jsii.Strings("/accounts/drafts"),
			RequiredHeaders: &map[string]*string{"x-region": jsii.String("eu"), "x-channel": jsii.String("shop")},
		})},
		Jwt: &federation.JwtRule{
			Issuer:    jsii.String("https://login.example"),
			Audiences: jsii.Strings("accounts"),
			JwksUri:   jsii.String("https://login.example/keys"),
			Claims:    &map[string]*[]*string{"scope": jsii.Strings("read"), "groups": jsii.Strings("a", "b")},
		},
	})
	orders := bank.Bind(jsii.String("Orders"), &federation.RemoteServiceBindingOptions{
		Source:       shop.ExposedService(jsii.String("orders")),
		LocalName:    federation.LocalName_NewService(jsii.String("orders"), jsii.String("ledger")),
		PortMappings: &[]*federation.PortMapping{{ExportPort: jsii.Number(8080), LocalPort: jsii.Number(80)}},
	})
	orders.AllowFrom(federation.Caller_AnyInNamespace(jsii.String("ledger")))

	read := cdk8s.NewApiObject(cdk8s.NewChart(app, jsii.String("read"), nil), jsii.String("Read"), &cdk8s.ApiObjectProps{
		ApiVersion: jsii.String("v1"),
		Kind:       jsii.String("ConfigMap"),
		Metadata:   &cdk8s.ApiObjectMetadata{Name: jsii.String("read")},
	})
	endpoint := (*bank.Endpoints())[0]
	exposed := shop.ExposedService(jsii.String("orders"))
	read.AddJsonPatch(cdk8s.JsonPatch_Add(jsii.String("/read"), []*string{
		orders.Host(),
		accounts.SniFor(shop, jsii.Number(8080)),
		text(endpoint.Port),
		endpoint.PrivateAddress.Reason,
		(*bank.IngressGateway().PodLabels)["istio"],
		exposed.Mesh().EgressIdentity().Uri(),
		text((*exposed.Ports())[1].ExportPort()),
		(*bank.TrustBundle().Fingerprints())[0],
	}))
	return app
}

func text(number *float64) *string {
	return jsii.String(strconv.FormatFloat(*number, 'f', -1, 64))
}

func TestTheProgramPassesEveryKindOfValue(t *testing.T) {
	if err := os.WriteFile("values.yaml", []byte(*values().SynthYaml()), 0o644); err != nil {
		t.Fatal(err)
	}
}
