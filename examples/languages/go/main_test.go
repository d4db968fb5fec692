// Errors, and how a program catches them.
package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	federation "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation-go/cdk8smeshfederation"
	"github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

func errorOf(program func()) (message string) {
	defer func() {
		if refused := recover(); refused != nil {
			message = fmt.Sprint(refused)
		}
	}()
	program()
	return "nothing was rejected"
}

func mesh(app cdk8s.App, name string) federation.FederatedMesh {
	return federation.NewFederatedMesh(cdk8s.NewChart(app, jsii.String(name), nil), jsii.String("Mesh"), &federation.FederatedMeshProps{
		MeshName:    jsii.String(name),
		TrustDomain: jsii.String("mesh.example"),
		TrustBundle: trust("east"),
	})
}

func TestTheConstructorRejectsAMeshNameThatIsNotValid(t *testing.T) {
	message := errorOf(func() { mesh(cdk8s.NewApp(nil), "East_1") })
	want := `FED101 East_1/Mesh: "East_1" is not a valid mesh name → use one DNS label: at most 63 lower-case letters, digits and dashes`
	if message != want {
		t.Errorf("the message is %s", message)
	}
}

func TestSynthRejectsAMissingEndpoint(t *testing.T) {
	app := cdk8s.NewApp(nil)
	mesh(app, "east").Expose(jsii.String("Reviews"), &federation.ExposedServiceOptions{
		Service:    federation.LocalService_FromName(jsii.String("reviews"), jsii.String("default")),
		ExportName: jsii.String("reviews"),
		Ports:      &[]federation.ServicePort{federation.ServicePort_Http(jsii.Number(9080), nil)},
	})
	message := errorOf(app.Synth)
	if !strings.Contains(message, "[east/Mesh] FED107 east/Mesh: ") {
		t.Errorf("the message is %s", message)
	}
}

func TestTheBindingsRejectAMissingField(t *testing.T) {
	message := errorOf(func() {
		federation.NewFederatedMesh(cdk8s.NewChart(cdk8s.NewApp(nil), jsii.String("east"), nil), jsii.String("Mesh"), &federation.FederatedMeshProps{
			MeshName:    jsii.String("east"),
			TrustBundle: trust("east"),
		})
	})
	if !strings.Contains(message, "TrustDomain is required") {
		t.Errorf("the message is %s", message)
	}
}

func TestTheProgramHasFourCharts(t *testing.T) {
	if charts := len(*bookinfo().Charts()); charts != 4 {
		t.Errorf("%d charts", charts)
	}
}
