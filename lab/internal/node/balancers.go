package node

import (
	"context"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
)

// balancers assigns the node's public addresses to Services of type LoadBalancer; kube-proxy does the rest.
type balancers struct {
	config   Config
	client   kubernetes.Interface
	services listers.ServiceLister
}

func newBalancers(c Config, client kubernetes.Interface, factory informers.SharedInformerFactory) *balancers {
	return &balancers{c, client, factory.Core().V1().Services().Lister()}
}

func (b *balancers) run(ctx context.Context) error {
	for {
		services, err := b.services.List(labels.Everything())
		if err != nil {
			return err
		}
		for _, service := range services {
			if service.Spec.Type != core.ServiceTypeLoadBalancer || len(service.Status.LoadBalancer.Ingress) > 0 {
				continue
			}
			updated := service.DeepCopy()
			for _, address := range b.config.PublicAddresses {
				updated.Status.LoadBalancer.Ingress = append(updated.Status.LoadBalancer.Ingress, core.LoadBalancerIngress{IP: address})
			}
			_, _ = b.client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, updated, meta.UpdateOptions{}) // next round, if it has changed
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}
