package protocols

import (
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
)

// Kinds are kinds of Services that an export gives by name, so that the program cannot check them.
func Kinds() []Case {
	return InScenario("service-kinds",
		Analyzed("service-kinds"),
		Ask("protocols/grpc-on-http-port", guarantee.ErrorsNotGuesses, "A gRPC call fails when the Service declares the port as HTTP: the ingress gateway speaks HTTP/1.1 with it", ShopAPI, GrpcCall("misnamed:9001", "/search.Query/Find"), "UNAVAILABLE"),
		Ask("protocols/grpc-on-unnamed-port", guarantee.ErrorsNotGuesses, "A gRPC call fails when the Service declares no protocol for the port", ShopAPI, GrpcCall("unnamed:9002", "/search.Query/Find"), "UNAVAILABLE"),
		Ask("protocols/headless-http", guarantee.ExplicitAccess, "An HTTP port of a headless Service answers", ShopAPI, Get("http://headless:8081/"), "200"),
		AskDetailed("protocols/headless-tcp", guarantee.ExplicitAccess, "A TCP port of a headless Service answers", ShopAPI, TcpBytes("headless:7002", "hello"), "open: echo: hello"),
	)
}
