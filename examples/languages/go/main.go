// Istio's Bookinfo across two meshes: the program of examples/bookinfo in Go.
//
//	cdk8s synth
package main

import (
	"fmt"
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

	// ---- Bookinfo itself: what each mesh runs ----
	eastBookinfo := cdk8s.NewChart(app, jsii.String("east-bookinfo"), &cdk8s.ChartProps{Namespace: jsii.String("default")})
	reviewsManifests := include(eastBookinfo, "reviews")
	include(eastBookinfo, "ratings")
	westBookinfo := cdk8s.NewChart(app, jsii.String("west-bookinfo"), &cdk8s.ChartProps{Namespace: jsii.String("default")})
	productpageManifests := include(westBookinfo, "productpage")
	include(westBookinfo, "details")

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
		Service:    federation.LocalService_FromConstruct(find(reviewsManifests, "Service", "reviews")),
		ExportName: jsii.String("reviews"),
		Ports:      &[]federation.ServicePort{federation.ServicePort_Http(jsii.Number(9080), nil)},
		Owner:      jsii.String("reviews team"),
	})
	reviews.AllowFrom(west, &federation.AllowFromOptions{
		Http:    &[]*federation.HttpRule{{Methods: jsii.Strings("GET"), Paths: jsii.Strings("/reviews/*")}},
		Purpose: jsii.String("show reviews on the product page"),
	})

	binding := federation.NewRemoteServiceBinding(westBookinfo, jsii.String("Reviews"), &federation.RemoteServiceBindingProps{
		Mesh:      west,
		Source:    reviews,
		LocalName: federation.LocalName_NewService(jsii.String("reviews"), jsii.String("default")),
	})
	binding.AllowFrom(federation.Caller_FromConstruct(find(productpageManifests, "Deployment", "productpage-v1")))

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

func include(chart cdk8s.Chart, application string) cdk8s.Include {
	return cdk8s.NewInclude(chart, jsii.String(application), &cdk8s.IncludeProps{
		Url: jsii.String(filepath.Join(bookinfoDirectory, "manifests", application+".yaml")),
	})
}

func find(manifests cdk8s.Include, kind string, name string) cdk8s.ApiObject {
	for _, found := range *manifests.ApiObjects() {
		if *found.Kind() == kind && *found.Name() == name {
			return found
		}
	}
	panic(fmt.Sprintf("the manifests hold no %s %s", kind, name))
}
