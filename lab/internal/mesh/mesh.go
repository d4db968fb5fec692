// Package mesh is one mesh as its administrator sees it: through the API server, kubectl and exec. It does not depend
// on how the cluster runs, so the same calls work against an existing one.
package mesh

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// System is Istio's root namespace.
const System = "istio-system"

// Mesh is a connection to one, or to a further cluster of one.
type Mesh struct {
	Name       string // of the cluster. The first cluster of a mesh has the mesh's name
	Kubeconfig string
	Client     kubernetes.Interface

	trustDomain string
	kubectl     string
	config      *rest.Config
	dynamic     dynamic.Interface
	mapper      *restmapper.DeferredDiscoveryRESTMapper
}

// Open connects to a cluster of a mesh.
func Open(name, trustDomain, kubeconfig, kubectl string) (*Mesh, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 500, 1000
	config.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	return &Mesh{name, kubeconfig, client, trustDomain, kubectl, config, objects, mapper}, nil
}

// TrustDomain of the mesh.
func (m *Mesh) TrustDomain() string { return m.trustDomain }

// Server is the address of the API server.
func (m *Mesh) Server() string { return m.config.Host }

// Kubectl runs kubectl with this text as standard input and returns what it printed, warnings included.
func (m *Mesh) Kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, m.kubectl, append([]string{"--kubeconfig", m.Kubeconfig}, args...)...)
	command.Env = append(command.Environ(), "KUBECTL_APPLYSET=true") // required for --applyset
	command.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s in mesh %s: %w: %s", strings.Join(args, " "), m.Name, err, strings.TrimSpace(out.String()))
	}
	return out.String(), nil
}

// filterWarning is istiod's warning for every EnvoyFilter.
const filterWarning = "Warning: EnvoyFilter exposes internal implementation details"

// ApplyFile is how the output of cdk8s is meant to be applied. A warning of the API server is an error.
func (m *Mesh) ApplyFile(ctx context.Context, path string) error {
	out, err := m.Kubectl(ctx, "", "apply", "--server-side", "--validate=strict", "-f", path)
	// The API server may still evaluate the previous version of a policy that was updated just before.
	if err != nil && strings.Contains(out, "-boundary' denied request") {
		time.Sleep(3 * time.Second)
		out, err = m.Kubectl(ctx, "", "apply", "--server-side", "--validate=strict", "-f", path)
	}
	var complaints []string
	for _, line := range strings.Split(out, "\n") {
		if !strings.HasSuffix(line, "serverside-applied") && !strings.HasPrefix(line, filterWarning) && line != "" {
			complaints = append(complaints, line)
		}
	}
	if err != nil || len(complaints) > 0 {
		return fmt.Errorf("mesh %s, %s: %s", m.Name, path, strings.Join(complaints, "\n"))
	}
	return nil
}

// Put applies objects as another owner than the federation's, strictly and without kubectl's start-up time.
func (m *Mesh) Put(ctx context.Context, objects ...*unstructured.Unstructured) error {
	return m.apply(ctx, "lab", objects)
}

// PutOwn applies objects of the manifests as their owner, so that fields which are no longer set are removed. Another
// field manager would own them from then on, and the next scenario would conflict.
func (m *Mesh) PutOwn(ctx context.Context, objects ...*unstructured.Unstructured) error {
	return m.apply(ctx, "kubectl", objects)
}

func (m *Mesh) apply(ctx context.Context, owner string, objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		resource, err := m.resource(object)
		if err != nil {
			return err
		}
		data, err := json.Marshal(object)
		if err != nil {
			return err
		}
		force := true
		options := metav1.PatchOptions{FieldManager: owner, Force: &force, FieldValidation: metav1.FieldValidationStrict}
		if _, err := resource.Patch(ctx, object.GetName(), types.ApplyPatchType, data, options); err != nil {
			return fmt.Errorf("%s %s/%s in mesh %s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), m.Name, err)
		}
	}
	return nil
}

// Refuses reports whether the API server would reject an object, and its message.
func (m *Mesh) Refuses(ctx context.Context, object *unstructured.Unstructured) (string, bool) {
	resource, err := m.resource(object)
	if err != nil {
		return err.Error(), true
	}
	_, err = resource.Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: "lab"})
	if err != nil {
		return err.Error(), true
	}
	return "", false
}

// Get reads an object.
func (m *Mesh) Get(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource, err := m.resource(object)
	if err != nil {
		return nil, err
	}
	return resource.Get(ctx, object.GetName(), metav1.GetOptions{})
}

// Delete deletes objects and waits until they no longer exist. Missing objects are not an error.
func (m *Mesh) Delete(ctx context.Context, objects ...*unstructured.Unstructured) error {
	background := metav1.DeletePropagationBackground
	for _, object := range objects {
		resource, err := m.resource(object)
		if meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := resource.Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &background}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	for _, object := range objects {
		if err := Wait(ctx, time.Minute, func() error {
			if _, err := m.Get(ctx, object); !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
				return fmt.Errorf("%s %s is still there", object.GetKind(), object.GetName())
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// DeleteNow is Delete without the grace period of pods in a namespace.
func (m *Mesh) DeleteNow(ctx context.Context, objects ...*unstructured.Unstructured) error {
	for _, object := range objects {
		if object.GetKind() == "Namespace" {
			if _, err := m.Kubectl(ctx, "", "-n", object.GetName(), "delete", "deployments,pods", "--all", "--force", "--grace-period=0", "--ignore-not-found"); err != nil {
				return err
			}
		}
	}
	return m.Delete(ctx, objects...)
}

func (m *Mesh) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := m.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) { // its definition may be new
		m.mapper.Reset()
		mapping, err = m.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return m.dynamic.Resource(mapping.Resource), nil
	}
	return m.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace()), nil
}

// List reads all objects of a kind.
func (m *Mesh) List(ctx context.Context, resource schema.GroupVersionResource, namespace string) ([]unstructured.Unstructured, error) {
	list, err := m.dynamic.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Pod is a ready pod of a workload, named "namespace/app" by its label app.
func (m *Mesh) Pod(ctx context.Context, workload string) (*core.Pod, error) {
	namespace, app, _ := strings.Cut(workload, "/")
	pods, err := m.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		return nil, err
	}
	for _, pod := range pods.Items {
		if IsReady(&pod) && pod.DeletionTimestamp == nil {
			return &pod, nil
		}
	}
	return nil, fmt.Errorf("mesh %s has no ready pod of %s", m.Name, workload)
}

// IsReady reports the Ready condition of a pod.
func IsReady(pod *core.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == core.PodReady {
			return condition.Status == core.ConditionTrue
		}
	}
	return false
}

// Ready waits until every Deployment of the namespaces has its pods.
func (m *Mesh) Ready(ctx context.Context, namespaces ...string) error {
	return Wait(ctx, 2*time.Minute, func() error {
		for _, namespace := range namespaces {
			deployments, err := m.Client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			for _, d := range deployments.Items {
				if d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas < *d.Spec.Replicas || d.Status.ReadyReplicas < *d.Spec.Replicas {
					return fmt.Errorf("mesh %s: deployment %s/%s is not ready", m.Name, namespace, d.Name)
				}
			}
		}
		return nil
	})
}

// rolloutLimit is how long new pods may take on an idle machine.
const rolloutLimit = time.Minute

// RolledOut waits until every pod of a workload, such as deployment/istiod, is of its newest version: Ready would be
// content with a ready pod of the old one.
func (m *Mesh) RolledOut(ctx context.Context, namespace, workload string) error {
	return m.kubectlWaits(ctx, "-n", namespace, "rollout", "status", workload)
}

// Available waits until every Deployment of a namespace has its pods.
func (m *Mesh) Available(ctx context.Context, namespace string) error {
	return m.kubectlWaits(ctx, "-n", namespace, "wait", "--for=condition=Available", "deployment", "--all")
}

// kubectlWaits runs one of kubectl's commands that wait, with a limit that grows with the load of this machine.
func (m *Mesh) kubectlWaits(ctx context.Context, args ...string) error {
	ctx, cancel := patience.WithTimeout(ctx, rolloutLimit)
	defer cancel()
	_, err := m.Kubectl(ctx, "", append(args, "--timeout="+patience.Longest(rolloutLimit).String())...)
	return err
}

// Root is the public root certificate of the mesh, where its owner finds it.
func (m *Mesh) Root(ctx context.Context) (string, error) {
	var root string
	err := Wait(ctx, time.Minute, func() error {
		object, err := m.Client.CoreV1().ConfigMaps(System).Get(ctx, "istio-ca-root-cert", metav1.GetOptions{})
		if err != nil {
			return err
		}
		root = object.Data["root-cert.pem"]
		return nil
	})
	return root, err
}

// Authority is the mesh's own CA with its key. An attacker that controls the whole mesh has it.
func (m *Mesh) Authority(ctx context.Context) (*pki.Authority, error) {
	secret, err := m.Client.CoreV1().Secrets(System).Get(ctx, "istio-ca-secret", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return pki.Load(secret.Data["ca-cert.pem"], secret.Data["ca-key.pem"])
}
