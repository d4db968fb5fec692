package node

import (
	"context"
	"net"
	"strings"

	"github.com/miekg/dns"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

const clusterDomain = ".svc.cluster.local."

// names answers for Services as CoreDNS does, and for the public names of the lab.
type names struct {
	config   Config
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

func newDNS(c Config, factory informers.SharedInformerFactory) *names {
	return &names{c, factory.Core().V1().Services().Lister(), factory.Discovery().V1().EndpointSlices().Lister()}
}

func (n *names) serve(ctx context.Context) error {
	failed := make(chan error, 2)
	for _, protocol := range []string{"udp", "tcp"} {
		server := &dns.Server{Addr: n.config.Address + ":53", Net: protocol, Handler: dns.HandlerFunc(n.answer)}
		go func() { failed <- server.ListenAndServe() }()
		defer server.Shutdown()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

func (n *names) answer(w dns.ResponseWriter, question *dns.Msg) {
	reply := new(dns.Msg).SetReply(question)
	reply.Authoritative, reply.RecursionAvailable = true, true
	name := strings.ToLower(question.Question[0].Name)
	addresses, exists := n.lookup(name)
	if !exists {
		reply.Rcode = dns.RcodeNameError
	}
	if question.Question[0].Qtype == dns.TypeA {
		for _, address := range addresses {
			reply.Answer = append(reply.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: question.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5}, A: net.ParseIP(address),
			})
		}
	}
	_ = w.WriteMsg(reply)
}

func (n *names) lookup(name string) (addresses []string, exists bool) {
	if addresses, ok := n.config.PublicNames[strings.TrimSuffix(name, ".")]; ok {
		return addresses, true
	}
	service, isService := strings.CutSuffix(name, clusterDomain)
	parts := strings.Split(service, ".")
	if !isService || len(parts) != 2 {
		return nil, false
	}
	object, err := n.services.Services(parts[1]).Get(parts[0])
	if err != nil {
		return nil, false
	}
	if object.Spec.ClusterIP != core.ClusterIPNone {
		return []string{object.Spec.ClusterIP}, true
	}
	slices, err := n.slices.EndpointSlices(parts[1]).List(labels.SelectorFromSet(labels.Set{"kubernetes.io/service-name": parts[0]}))
	if err != nil {
		return nil, true
	}
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready != nil && *endpoint.Conditions.Ready {
				addresses = append(addresses, endpoint.Addresses...)
			}
		}
	}
	return addresses, true
}
