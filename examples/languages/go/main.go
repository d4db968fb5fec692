// Istio's Bookinfo across two meshes: the program of examples/bookinfo in Go.
//
//	cdk8s synth
package main

import (
	"os"
	"path/filepath"

	"github.com/aws/jsii-runtime-go"
	federation "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation-go/cdk8smeshfederation"
	"github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2"
)

const bookinfoDirectory = "../../bookinfo"

func main() {
	defer jsii.Close()
	bookinfo().Synth()
}

func bookinfo() cdk8s.App {
	app := cdk8s.NewApp(nil)

	// ---- Bookinfo: the workloads of each mesh ----
	eastBookinfo := cdk8s.NewChart(app, jsii.String("east-bookinfo"), &cdk8s.ChartProps{Namespace: jsii.String("default")})
	reviewsApplication := newMicroservice(eastBookinfo, "reviews", microserviceOptions{
		versions: []string{"v1", "v2", "v3"},
		writes:   []string{"/tmp", "/opt/ibm/wlp/output"},
		env:      map[string]string{"LOG_DIR": "/tmp/logs"},
	})
	newMicroservice(eastBookinfo, "ratings", microserviceOptions{})
	westBookinfo := cdk8s.NewChart(app, jsii.String("west-bookinfo"), &cdk8s.ChartProps{Namespace: jsii.String("default")})
	productpage := newMicroservice(westBookinfo, "productpage", microserviceOptions{writes: []string{"/tmp"}})
	newMicroservice(westBookinfo, "details", microserviceOptions{})

	// ---- the boundaries ----
	east := federation.NewFederatedMesh(cdk8s.NewChart(app, jsii.String("east"), nil), jsii.String("Mesh"), &federation.FederatedMeshProps{
		MeshName:    jsii.String("east"),
		TrustDomain: jsii.String("east.example"),
		TrustBundle: trust("east"),
		Endpoints:   &[]*federation.GatewayEndpoint{{Address: jsii.String("federation.east.example")}},
	})
	west := federation.NewFederatedMesh(cdk8s.NewChart(app, jsii.String("west"), nil), jsii.String("Mesh"), &federation.FederatedMeshProps{
		MeshName:    jsii.String("west"),
		TrustDomain: jsii.String("west.example"),
		TrustBundle: trust("west"),
	})
	east.AddPeer(west, nil)
	west.AddPeer(east, nil)

	// ---- one service, for one peer, for one caller ----
	reviews := east.Expose(jsii.String("Reviews"), &federation.ExposedServiceOptions{
		Service:    federation.LocalService_FromConstruct(reviewsApplication.service),
		ExportName: jsii.String("reviews"),
		Ports:      &[]federation.ServicePort{federation.ServicePort_Http(jsii.Number(9080), nil)},
		Owner:      jsii.String("reviews team"),
	})
	reviews.AllowFrom(west, &federation.AllowFromOptions{
		Http: &[]federation.HttpRule{
			federation.HttpRule_Allow(&federation.HttpRuleOptions{Methods: jsii.Strings("GET"), Paths: jsii.Strings("/reviews/*")}),
		},
		Purpose: jsii.String("show reviews on the product page"),
	})

	binding := federation.NewRemoteServiceBinding(westBookinfo, jsii.String("Reviews"), &federation.RemoteServiceBindingProps{
		Mesh:      west,
		Source:    reviews,
		LocalName: federation.LocalName_NewService(jsii.String("reviews"), jsii.String("default")),
	})
	binding.AllowFrom(federation.Caller_FromConstruct(productpage.deployments[0]))

	return app
}

// The public roots of the two meshes.
func trust(mesh string) federation.TrustBundle {
	directory, given := os.LookupEnv("TRUST_DIRECTORY")
	if !given {
		directory = filepath.Join(bookinfoDirectory, "trust")
	}
	return federation.TrustBundle_FromPemFile(jsii.String(filepath.Join(directory, mesh+".pem")))
}
