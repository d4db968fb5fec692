// Package kubelet replaces the kubelet of one node, without containers: a pod is a network namespace with a process for
// each container. The process has its own file system with the volumes of the pod, and the rights of its security
// contexts. Init containers, sidecars, probes, projected tokens, logs, exec and port-forward work as on a real node.
//
// Missing: cgroups (limits are passed to the program, and not enforced), seccomp and AppArmor profiles, liveness
// probes, images. A container runs the programs of an Image, over the programs and libraries of this computer,
// read-only.
package kubelet

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/network"
)

// Port is where the API server finds exec, logs and port-forward.
const Port = 10250

// Config is the configuration of a node.
type Config struct {
	Node         string       // its name
	LabID        int          // the lab that its hosts belong to
	Host         network.Host // the node itself: the router of its pods
	Address      string       // its address outside
	PodNetwork   string       // prefix of its pods
	APIServiceIP string       // where pods find the API server
	Version      string       // of Kubernetes, as it reports it
	Directory    string       // for pods
	Self         string       // this program, which is also the first process of a container
	Images       []Image
	Drivers      map[string]Driver // of CSI, by name
	Log          io.Writer
}

// Driver fills the directory of a volume for one pod, and serves what is in it until the context ends.
type Driver interface {
	Publish(ctx context.Context, directory string, pod *core.Pod) error
}

// Kubelet runs the pods of one cluster: it has one node, and the stand-in binds every pod to it.
type Kubelet struct {
	Config
	client     kubernetes.Interface
	configMaps listers.ConfigMapLister
	secrets    listers.SecretLister
	podLister  listers.PodLister
	capacity   core.ResourceList

	mu   sync.Mutex
	pods map[types.UID]*pod
	next netip.Addr
}

// New creates a kubelet that reads from these informers.
func New(config Config, client kubernetes.Interface, factory informers.SharedInformerFactory) *Kubelet {
	c := factory.Core().V1()
	return &Kubelet{
		Config: config, client: client, configMaps: c.ConfigMaps().Lister(), secrets: c.Secrets().Lister(), podLister: c.Pods().Lister(),
		capacity: core.ResourceList{
			core.ResourceCPU:    *resource.NewQuantity(int64(runtime.NumCPU()), resource.DecimalSI),
			core.ResourceMemory: resource.MustParse("8Gi"),
			core.ResourcePods:   resource.MustParse("250"),
		},
		pods: map[types.UID]*pod{},
		next: netip.MustParsePrefix(config.PodNetwork).Addr().Next(),
	}
}

// Register creates the Node object.
func (k *Kubelet) Register(ctx context.Context) error {
	now := meta.Now()
	node := &core.Node{
		ObjectMeta: meta.ObjectMeta{Name: k.Node, Labels: map[string]string{"kubernetes.io/hostname": k.Node, "kubernetes.io/os": "linux"}},
		Spec:       core.NodeSpec{PodCIDR: k.PodNetwork, PodCIDRs: []string{k.PodNetwork}},
		Status: core.NodeStatus{
			Capacity: k.capacity, Allocatable: k.capacity,
			Addresses:       []core.NodeAddress{{Type: core.NodeInternalIP, Address: k.Address}, {Type: core.NodeHostName, Address: k.Node}},
			DaemonEndpoints: core.NodeDaemonEndpoints{KubeletEndpoint: core.DaemonEndpoint{Port: Port}},
			NodeInfo:        core.NodeSystemInfo{KubeletVersion: k.Version, OperatingSystem: "linux", Architecture: runtime.GOARCH, ContainerRuntimeVersion: "lab://1"},
			Conditions: []core.NodeCondition{{
				Type: core.NodeReady, Status: core.ConditionTrue, Reason: "Lab", LastHeartbeatTime: now, LastTransitionTime: now,
			}},
		},
	}
	created, err := k.client.CoreV1().Nodes().Create(ctx, node, meta.CreateOptions{})
	if err != nil {
		return err
	}
	created.Status = node.Status
	_, err = k.client.CoreV1().Nodes().UpdateStatus(ctx, created, meta.UpdateOptions{})
	return err
}

// Run starts and ends pods until the context ends.
func (k *Kubelet) Run(ctx context.Context) {
	for sleep(ctx, 100*time.Millisecond) {
		wanted, err := k.podLister.List(labels.Everything())
		if err != nil {
			k.log("list pods: %v", err)
			continue
		}
		k.sync(ctx, wanted)
	}
}

func (k *Kubelet) sync(ctx context.Context, wanted []*core.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	seen := map[types.UID]bool{}
	for _, object := range wanted {
		seen[object.UID] = true
		known, ok := k.pods[object.UID]
		switch {
		case !ok && object.DeletionTimestamp != nil:
			k.forget(object)
		case !ok:
			k.pods[object.UID] = k.begin(ctx, object)
		case object.DeletionTimestamp != nil && !known.leaving():
			grace := 30 * time.Second
			if object.DeletionGracePeriodSeconds != nil {
				grace = time.Duration(*object.DeletionGracePeriodSeconds) * time.Second
			}
			go func() {
				known.end(grace)
				k.forget(object)
			}()
		}
	}
	for uid, known := range k.pods {
		if !seen[uid] {
			if !known.leaving() {
				go known.end(0)
			}
			delete(k.pods, uid)
		}
	}
}

func (p *pod) leaving() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.ending
	p.ending = true
	return was
}

func (k *Kubelet) forget(object *core.Pod) {
	zero := int64(0)
	options := meta.DeleteOptions{GracePeriodSeconds: &zero, Preconditions: &meta.Preconditions{UID: &object.UID}}
	_ = k.client.CoreV1().Pods(object.Namespace).Delete(context.Background(), object.Name, options)
}

func (k *Kubelet) begin(ctx context.Context, object *core.Pod) *pod {
	k.next = k.next.Next()
	p := &pod{
		kubelet: k, spec: object.DeepCopy(), address: k.next.String(),
		host:    network.New(k.LabID, fmt.Sprintf("%s-%s", k.Node, k.next)),
		dir:     filepath.Join(k.Directory, object.Namespace+"_"+object.Name),
		written: map[string]content{}, tokens: map[string]string{}, done: make(chan struct{}),
	}
	for _, c := range object.Spec.InitContainers {
		p.containers = append(p.containers, &container{
			Container: c, init: true, sidecar: c.RestartPolicy != nil && *c.RestartPolicy == core.ContainerRestartPolicyAlways,
		})
	}
	for _, c := range object.Spec.Containers {
		p.containers = append(p.containers, &container{Container: c})
	}
	ctx, p.cancel = context.WithCancel(ctx)
	go func() {
		if err := os.MkdirAll(p.dir, 0o755); err != nil {
			k.log("%v", err)
		}
		if object.Spec.NodeName == "" {
			binding := &core.Binding{ObjectMeta: meta.ObjectMeta{Name: object.Name, UID: object.UID}, Target: core.ObjectReference{Kind: "Node", Name: k.Node}}
			if err := k.client.CoreV1().Pods(object.Namespace).Bind(ctx, binding, meta.CreateOptions{}); err != nil {
				k.log("%s/%s: bind: %v", object.Namespace, object.Name, err)
			}
		}
		p.run(ctx)
	}()
	return p
}

func (k *Kubelet) log(format string, args ...any) {
	fmt.Fprintf(k.Log, "%s kubelet: %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
}

// find is a running container; without a name, the pod's first.
func (k *Kubelet) find(namespace, name, containerName string) (*pod, *container, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.pods {
		if p.spec.Namespace != namespace || p.spec.Name != name {
			continue
		}
		for _, c := range p.containers {
			if c.Name == containerName || (containerName == "" && !c.init) {
				return p, c, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("no container %s in pod %s/%s on this node", containerName, namespace, name)
}
