/**
 * All scenarios: programs as users write them, with one or several apps and one file for each chart. A folder contains a program and, if
 * the scenario is golden, its reviewed manifests.
 */
import { App } from 'cdk8s';
import { program as bench } from './bench/program';
import { program as bothDirections } from './both-directions/program';
import { program as compliance } from './compliance/program';
import { program as declaredButClosed } from './declared-but-closed/program';
import { program as existingGateways } from './existing-gateways/program';
import { program as externalRoots } from './external-roots/program';
import { program as gatewayNamespaces } from './gateway-namespaces/program';
import { program as grantWithdrawn } from './grant-withdrawn/program';
import { program as grow } from './grow/program';
import { CHANGES, program as held } from './held/program';
import { program as hostileMeshConfig } from './hostile-mesh-config/program';
import { program as isolatedPeer } from './isolated-peer/program';
import { program as locked } from './locked/program';
import { program as monitored } from './monitored/program';
import { program as names } from './names/program';
import { program as noExports } from './no-exports/program';
import { program as nodePort } from './node-port/program';
import { program as peerOptions } from './peer-options/program';
import { program as peerRemoved } from './peer-removed/program';
import { program as protocols } from './protocols/program';
import { program as renamedEverything } from './renamed-everything/program';
import { program as secondBoundary } from './second-boundary/program';
import { program as separateApps } from './separate-apps/program';
import { program as separateAuthorities } from './separate-authorities/program';
import { program as serviceKinds } from './service-kinds/program';
import { program as severalClusters } from './several-clusters/program';
import { program as severalSources } from './several-sources/program';
import { program as spellings } from './spellings/program';
import { defaultCredential, program as spire } from './spire/program';
import { program as threeMeshes } from './three-meshes/program';
import { program as tokens } from './tokens/program';
import { program as traced } from './traced/program';
import { program as twoMeshesHttp } from './two-meshes-http/program';
import { program as twoPeers } from './two-peers/program';
import { program as wideCallers } from './wide-callers/program';
import { bookinfo } from '../../examples/bookinfo/main';

/** Creates the apps of a scenario. */
export type Program = () => App[];

interface Scenario {
  readonly program: Program;
  /** Whether its manifests are stored beside its program, so that `test/golden.test.ts` compares them. */
  readonly golden: boolean;
  /** Whether every run of the lab applies it, or only one that names it. */
  readonly lab: 'always' | 'when named';
}

const golden = (program: Program): Scenario => ({ program, golden: true, lab: 'always' });
const labOnly = (program: Program): Scenario => ({ program, golden: false, lab: 'always' });
const whenNamed = (program: Program): Scenario => ({ program, golden: false, lab: 'when named' });

const ALL: { readonly [name: string]: Scenario } = {
  'two-meshes-http': golden(twoMeshesHttp),
  'renamed-everything': golden(renamedEverything),
  'three-meshes': golden(threeMeshes),
  'both-directions': golden(() => bothDirections()),
  'no-exports': golden(noExports),
  'declared-but-closed': golden(declaredButClosed),
  'separate-apps': golden(separateApps),
  'protocols': golden(protocols),
  'several-sources': golden(severalSources),
  'wide-callers': golden(wideCallers),
  'peer-options': golden(peerOptions),
  'second-boundary': golden(secondBoundary),
  'locked': golden(locked),
  'gateway-namespaces': golden(gatewayNamespaces),
  'existing-gateways': golden(existingGateways),
  'isolated-peer': golden(isolatedPeer),
  'separate-authorities': golden(() => separateAuthorities()),
  'external-roots': golden(externalRoots),
  'tokens': golden(tokens),
  'spellings': golden(spellings),
  'bookinfo': labOnly(() => [bookinfo().app]),
  'balancer-name': labOnly(() => bothDirections([{ address: 'balancer.west.example', port: 443 }])),
  'two-peers': labOnly(twoPeers),
  'cluster-local': labOnly(() => separateAuthorities('cluster.local')),
  'grant-withdrawn': labOnly(grantWithdrawn),
  'peer-removed': labOnly(peerRemoved),
  'monitored': labOnly(monitored),
  'node-port': labOnly(nodePort),
  'hostile-mesh-config': labOnly(hostileMeshConfig),
  'traced': labOnly(traced),
  'compliance': labOnly(compliance),
  'spire': labOnly(spire),
  'service-kinds': labOnly(serviceKinds),
  'several-clusters': labOnly(severalClusters),
  'held': labOnly(() => held()),
  ...Object.fromEntries(CHANGES.map((change) => [`held-${change}`, labOnly(() => held(change))])),
  'spire-default-credential': whenNamed(defaultCredential),
  'bench': whenNamed(bench),
};

const programs = (wanted: (scenario: Scenario) => boolean): { readonly [name: string]: Program } => Object.fromEntries(
  Object.entries(ALL).filter(([, scenario]) => wanted(scenario)).map(([name, { program }]) => [name, program]),
);

/** The golden scenarios by name. */
export const SCENARIOS = programs((scenario) => scenario.golden);

/** The scenarios that every run of the lab applies, by name. */
export const LAB_SCENARIOS = programs(({ lab }) => lab === 'always');

/**
 * The program of this name. `grow-<size>` is the scenario grow with that number of export names. `names-<size>` is the
 * scenario names with that number of local names, and `names-<size>-hosts` has an additional host for each of them.
 */
export function programOf(name: string): Program {
  const size = /^grow-(\d+)$/.exec(name);
  if (size) return () => grow(Number(size[1]));
  const bound = /^names-(\d+)(-hosts)?$/.exec(name);
  if (bound) return () => names(Number(bound[1]), bound[2] !== undefined);
  if (!Object.hasOwn(ALL, name)) throw new Error(`there is no scenario ${name}; there are ${Object.keys(ALL).join(', ')}, grow-<size> and names-<size>`);
  return ALL[name].program;
}
