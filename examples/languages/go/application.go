package main

import (
	"path"

	"github.com/aws/jsii-runtime-go"
	"github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2"
	"github.com/cdk8s-team/cdk8s-plus-go/cdk8splus27/v2"
)

const (
	port     = 9080
	imageTag = "1.20.3"
)

type microserviceOptions struct {
	versions []string // only v1 if empty
	writes   []string // directories
	env      map[string]string
}

// One Service of Istio's sample application Bookinfo, and one Deployment for each version: examples/bookinfo/application.ts in Go.
type microservice struct {
	service     cdk8splus27.Service
	deployments []cdk8splus27.Deployment
}

func newMicroservice(chart cdk8s.Chart, name string, options microserviceOptions) microservice {
	account := cdk8splus27.NewServiceAccount(chart, jsii.String(name+"-account"), &cdk8splus27.ServiceAccountProps{
		Metadata: &cdk8s.ApiObjectMetadata{Name: jsii.String("bookinfo-" + name), Labels: &map[string]*string{"account": jsii.String(name)}},
	})

	service := cdk8splus27.NewService(chart, jsii.String(name+"-service"), &cdk8splus27.ServiceProps{
		Metadata: &cdk8s.ApiObjectMetadata{
			Name:   jsii.String(name),
			Labels: &map[string]*string{"app": jsii.String(name), "service": jsii.String(name)},
		},
		Ports: &[]*cdk8splus27.ServicePort{{Name: jsii.String("http"), Port: jsii.Number(port)}},
	})
	service.SelectLabel(jsii.String("app"), jsii.String(name))

	versions := options.versions
	if len(versions) == 0 {
		versions = []string{"v1"}
	}
	var deployments []cdk8splus27.Deployment
	for _, version := range versions {
		deployments = append(deployments, deploy(chart, name, version, account, options))
	}
	return microservice{service, deployments}
}

func deploy(chart cdk8s.Chart, name, version string, account cdk8splus27.ServiceAccount, options microserviceOptions) cdk8splus27.Deployment {
	labels := &map[string]*string{"app": jsii.String(name), "version": jsii.String(version)}
	deployment := cdk8splus27.NewDeployment(chart, jsii.String(name+"-"+version), &cdk8splus27.DeploymentProps{
		Metadata:       &cdk8s.ApiObjectMetadata{Name: jsii.String(name + "-" + version), Labels: labels},
		PodMetadata:    &cdk8s.ApiObjectMetadata{Labels: labels},
		Select:         jsii.Bool(false),
		Replicas:       jsii.Number(1),
		ServiceAccount: account,
	})
	deployment.Select(cdk8splus27.LabelSelector_Of(&cdk8splus27.LabelSelectorOptions{Labels: labels}))

	container := deployment.AddContainer(&cdk8splus27.ContainerProps{
		Name:            jsii.String(name),
		Image:           jsii.String("registry.istio.io/release/examples-bookinfo-" + name + "-" + version + ":" + imageTag),
		ImagePullPolicy: cdk8splus27.ImagePullPolicy_IF_NOT_PRESENT,
		Ports:           &[]*cdk8splus27.ContainerPort{{Number: jsii.Number(port)}},
		Resources:       &cdk8splus27.ContainerResources{},
		SecurityContext: &cdk8splus27.ContainerSecurityContextProps{ReadOnlyRootFilesystem: jsii.Bool(false)},
	})
	for variable, value := range options.env {
		container.Env().AddVariable(jsii.String(variable), cdk8splus27.EnvValue_FromValue(jsii.String(value)))
	}
	for _, directory := range options.writes {
		volumeName := jsii.String(path.Base(directory))
		container.Mount(jsii.String(directory), cdk8splus27.Volume_FromEmptyDir(deployment, volumeName, volumeName, nil), nil)
	}
	return deployment
}
