package mutations

import (
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/edits"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/meshconfig"
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
)

// meshConfigTakenAway are the blocks without which a DestinationRule inherits those of MeshConfig.
func meshConfigTakenAway() []Mutation {
	at := func(name, object, field string, extra ...Attempt) Mutation {
		return Mutation{
			Name: "mesh-config/" + name, Guarantees: guarantee.ExplicitAccess, Mesh: "west", Kind: "DestinationRule", Object: object,
			Change: edits.WithoutField(field), Extra: extra,
		}
	}
	const upstream, caller = "fed-out-reviews-9080-east", "fed-call-reviews-9080-default-east-default"
	return []Mutation{
		at("outlier-detection-of-the-peer", upstream, "spec/trafficPolicy/outlierDetection", meshconfig.AfterErrors()),
		at("outlier-detection-of-callers", caller, "spec/subsets/0/trafficPolicy/outlierDetection", meshconfig.AfterErrors()),
		at("localities-of-the-peer", upstream, "spec/trafficPolicy/loadBalancer"),
		at("localities-of-callers", caller, "spec/subsets/0/trafficPolicy/loadBalancer"),
	}
}

// tracesTakenAway are the settings with which gateways report spans and set no trace header.
func tracesTakenAway() []Mutation {
	at := func(name, meshName, object string, off ...string) Mutation {
		return Mutation{
			Name: "traces/" + name, Guarantees: guarantee.NothingInternal, Mesh: meshName, Kind: "Telemetry", Object: object,
			Change: edits.WithoutField("spec/tracing"), Off: off,
		}
	}
	return []Mutation{
		at("ingress", "east", "federation-ingress", "traces/egress"),
		at("egress", "west", "federation-egress", "traces/ingress"),
	}
}
