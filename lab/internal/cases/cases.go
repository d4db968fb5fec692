// Package cases is the list of all cases and mutations of the lab, with their expected outcomes.
//
// A case is data and a small function. Most are one probe and the outcome that it must have:
//
//	Ask("external/no-certificate", guarantee.ServerPerPeer, "The ingress gateway rejects a client without a certificate",
//		Outside, ToIngress(NoCertificate), outcome.NoCertificate)
//
// The cases are in packages by subject, which use package testbed. They use API servers, kubectl and exec, and do not
// depend on how pods run.
package cases

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/attackers"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/clusters"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/compliance"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/gateways"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/leaks"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/load"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/locks"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/meshconfig"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/monitoring"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/mutations"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/peeroptions"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/protocols"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/spellings"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/spire"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/tenants"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/timing"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/tokens"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/trust"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/works"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
)

// What commands play and write down.
type (
	Case           = testbed.Case
	Result         = testbed.Result
	Mutation       = mutations.Mutation
	MutationResult = mutations.MutationResult
)

// All cases, in the order in which they cost least.
func All() []Case {
	return slices.Concat(
		works.Cases(),
		protocols.Cases(), protocols.SeveralSources(), protocols.WideCallers(), protocols.Kinds(),
		peeroptions.Cases(),
		gateways.SecondBoundary(), gateways.SeparateNamespaces(), gateways.Existing(),
		attackers.External(), attackers.Unlisted(),
		tenants.Cases(),
		leaks.Cases(),
		timing.Cases(),
		locks.Cases(),
		trust.Cases(), trust.SeparateAuthorities(), spire.Cases(),
		tokens.Cases(),
		attackers.Framing(),
		spellings.Cases(),
		monitoring.Cases(), monitoring.Traces(),
		gateways.Nodes(),
		clusters.Cases(),
		load.HeldOpen(), load.Bounded(), load.Separation(),
		attackers.WeakCertificates(),
		meshconfig.Cases(), compliance.Cases(),
		works.Bookinfo(),
	)
}

// Mutations are all protections that are taken away.
func Mutations() []Mutation { return mutations.All() }

// Play runs one case on meshes on which its scenario is applied.
func Play(ctx context.Context, f *federation.Federation, c Case) Result {
	return testbed.Run(ctx, f, c, func(ctx context.Context) error { return Settle(ctx, f, f.Current()) })
}

// Mutate runs mutations of the applied scenario, one after the other, and passes on each result.
func Mutate(ctx context.Context, f *federation.Federation, chosen []Mutation, done func(MutationResult)) error {
	return mutations.Play(ctx, f, All(), chosen, done)
}

// Settle waits until the allowed calls of a scenario succeed everywhere. Before that, a rejection has no meaning.
func Settle(ctx context.Context, f *federation.Federation, scenario string) error {
	return testbed.Safely(func() error { return settle(ctx, f, scenario) })
}

func settle(ctx context.Context, f *federation.Federation, scenario string) error {
	time.Sleep(time.Second)
	for _, c := range All() {
		for _, attempt := range c.Attempts {
			if c.Scenario != scenario || attempt.Want != "200" && attempt.Want != "OK" {
				continue
			}
			if err := testbed.WaitUntil(ctx, f, attempt.From, attempt.Want, attempt.Probe(f)); err != nil {
				return fmt.Errorf("scenario %s does not settle: %w", scenario, err)
			}
		}
	}
	return nil
}
