package testbed

import (
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Get builds a GET request.
func Get(url string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe { return traffic.Probe{URL: url} }
}

// Request builds a request with another method.
func Request(method, url string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe { return traffic.Probe{URL: url, Method: method} }
}

// Reviews is the allowed call of the first scenario, by its local name.
func Reviews(path string) traffic.Probe { return traffic.Probe{URL: "http://reviews:9080" + path} }

// ToIngress builds a request to east's ingress gateway that bypasses every egress gateway, with the TLS certificate of
// the attacker; change adjusts it.
func ToIngress(shown CertificateSource, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		leaf := shown(f)
		p := traffic.Probe{
			URL: "https://" + ReviewsSNI + "/reviews/0", Dial: EastAddress,
			TLS: &traffic.TLS{ServerName: ReviewsSNI, Cert: leaf.Cert, Key: leaf.Key},
		}
		for _, one := range change {
			one(&p)
		}
		return p
	}
}

func WithSNI(name string) func(*traffic.Probe) {
	return func(p *traffic.Probe) { p.TLS.ServerName = name }
}

func WithHost(name string) func(*traffic.Probe) { return func(p *traffic.Probe) { p.Host = name } }

func WithPath(target string) func(*traffic.Probe) {
	return func(p *traffic.Probe) { p.URL = "https://" + ReviewsSNI + target }
}

// ToEgress builds a request to west's egress gateway with the TLS certificate of the caller.
func ToEgress(shown CertificateSource, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		leaf := shown(f)
		p := traffic.Probe{
			URL: "https://" + BindingSNI + "/reviews/0", Dial: EgressHost + ":15443",
			TLS: &traffic.TLS{ServerName: BindingSNI, Cert: leaf.Cert, Key: leaf.Key, ALPN: []string{"istio"}},
		}
		for _, one := range change {
			one(&p)
		}
		return p
	}
}

func TcpBytes(address, text string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe {
		return traffic.Probe{Kind: "tcp", URL: "tcp://" + address, Body: text}
	}
}

func GrpcCall(address, method string) func(*federation.Federation) traffic.Probe {
	return func(*federation.Federation) traffic.Probe {
		return traffic.Probe{Kind: "grpc", URL: "http://" + address + method, Body: "hello"}
	}
}

// ToServer builds a connection to one server of east's ingress gateway.
func ToServer(serverName, kind string, shown CertificateSource) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		leaf := shown(f)
		return traffic.Probe{Kind: kind, URL: "tcp://" + EastAddress, TLS: &traffic.TLS{ServerName: serverName, Cert: leaf.Cert, Key: leaf.Key}}
	}
}

func WithURLHost(name string) func(*traffic.Probe) {
	return func(p *traffic.Probe) { p.URL = "https://" + name + "/" }
}

func OverHTTP2(p *traffic.Probe) { p.Kind = "h2" }
