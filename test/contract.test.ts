import { readFileSync } from 'fs';
import { join } from 'path';
import { SCENARIOS } from './scenarios';
import { callsOf, serversOf } from './support/contract';
import { filesOf, find, Manifest, parse } from './support/manifests';

/*
 * Both sides of every scenario agree, as read from the generated YAML. What one side sends is what the other side accepts, and all
 * controls of a side allow the same.
 */

const trust = (file: string) => readFileSync(join(__dirname, 'trust', file), 'utf8');

/** The CA certificates and revocation lists that a mesh publishes, where they are not its own root. */
const PUBLISHED: { [scenario: string]: { [mesh: string]: { roots: string[]; lists?: string; configMap?: string } } } = {
  'external-roots': { east: { roots: [], configMap: 'east-roots' } },
  'existing-gateways': { west: { roots: ['west-boundary.pem'] } },
  'separate-authorities': {
    east: { roots: ['east-boundary.pem', 'east-boundary-next.pem'] },
    west: { roots: ['west-boundary.pem'], lists: 'west-boundary.crl' },
  },
};

/** The objects of each mesh of a scenario. The name of a file begins with the name of its mesh. */
function meshesOf(scenario: string): Map<string, Manifest[]> {
  const meshes = new Map<string, Manifest[]>();
  for (const [chart, text] of filesOf(SCENARIOS[scenario]())) {
    const [mesh] = chart.split(/[-.]/);
    meshes.set(mesh, [...meshes.get(mesh) ?? [], ...parse(text)]);
  }
  return meshes;
}

/** The calls that each scenario allows: local name and port in the calling mesh → service and port in the exporting mesh. */
const CALLS: { [scenario: string]: string[] } = {
  'two-meshes-http': ['west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080'],
  'renamed-everything': ['west debit.finance.svc.cluster.local:80 → east withdraw.accounts.svc.cluster.local:8080'],
  'three-meshes': [
    'north ledger.partners.svc.cluster.local:80 → east ledger.books.svc.cluster.local:9090',
    'north ledger.partners.svc.cluster.local:8080 → east ledger.books.svc.cluster.local:8080',
    'west ledger.partners.svc.cluster.local:8080 → east ledger.books.svc.cluster.local:8080',
  ],
  'both-directions': [
    'east details.catalogue.svc.cluster.local:9080 → west details.default.svc.cluster.local:9080',
    'west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
  ],
  'no-exports': [],
  'declared-but-closed': [],
  'isolated-peer': [
    'east ratings.partners.svc.cluster.local:9080 → north ratings.default.svc.cluster.local:9080',
    'north reviews.partners.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
  ],
  'external-roots': [
    'east details.catalogue.svc.cluster.local:9080 → west details.default.svc.cluster.local:9080',
    'west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
  ],
  'separate-authorities': [
    'east details.catalogue.svc.cluster.local:9080 → west details.default.svc.cluster.local:9080',
    'west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
  ],
  'separate-apps': ['west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080'],
  'protocols': [
    'west chat.shop.svc.cluster.local:8080 → east chat.chat.svc.cluster.local:8080',
    'west events.shop.svc.cluster.local:3306 → east echo.events.svc.cluster.local:7000',
    'west multi.shop.svc.cluster.local:7001 → east multi.multi.svc.cluster.local:7001',
    'west multi.shop.svc.cluster.local:8080 → east multi.multi.svc.cluster.local:8080',
    'west multi.shop.svc.cluster.local:9090 → east multi.multi.svc.cluster.local:9090',
    'west mysql.shop.svc.cluster.local:3306 → east mysql.db.svc.cluster.local:3306',
    'west search.shop.svc.cluster.local:9000 → east search.search.svc.cluster.local:9000',
    'west vault.shop.svc.cluster.local:8200 → east vault.vault.svc.cluster.local:8200',
  ],
  'several-sources': [
    'west orders.shop.svc.cluster.local:3306 → east mysql.db.svc.cluster.local:3306',
    'west orders.shop.svc.cluster.local:3306 → north mysql.db.svc.cluster.local:3306',
    'west reviews.default.svc.cluster.local:9080 → east reviews-v2.default.svc.cluster.local:9080',
    'west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
    'west reviews.default.svc.cluster.local:9080 → north reviews.default.svc.cluster.local:9080',
    'west search.shop.svc.cluster.local:9000 → east search.search.svc.cluster.local:9000',
    'west search.shop.svc.cluster.local:9000 → north search.search.svc.cluster.local:9000',
  ],
  'peer-options': [
    ...['mysql.shop.svc.cluster.local:3306 → east mysql.db.svc.cluster.local:3306', 'reviews.shop.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080']
      .flatMap((call) => [`north ${call}`, `west ${call}`]),
  ].sort(),
  'wide-callers': [
    'west own.partners.svc.cluster.local:9080 → east ratings.default.svc.cluster.local:9080',
    'west public.partners.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
    'west shared.partners.svc.cluster.local:9080 → east ratings.default.svc.cluster.local:9080',
  ],
  'second-boundary': [
    'east details.partners.svc.cluster.local:9080 → west details.default.svc.cluster.local:9080',
    'north details.partners.svc.cluster.local:9080 → west details.default.svc.cluster.local:9080',
    'west ratings.partners.svc.cluster.local:9080 → north ratings.default.svc.cluster.local:9080',
    'west reviews.partners.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
  ],
  'tokens': [
    'north orders.shop.svc.cluster.local:8080 → east orders.shop.svc.cluster.local:8080',
    'west orders.shop.svc.cluster.local:8080 → east orders.shop.svc.cluster.local:8080',
    'west reviews.shop.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
    'west search.shop.svc.cluster.local:9000 → east search.search.svc.cluster.local:9000',
  ],
  'spellings': [
    'west everything.shop.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
    'west open.shop.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
    'west orders.shop.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
    'west shared.shop.svc.cluster.local:9080 → north ratings.default.svc.cluster.local:9080',
    'west users.shop.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
  ],
  'existing-gateways': [
    'east details.catalogue.svc.cluster.local:9080 → west details.default.svc.cluster.local:9080',
    'west mysql.default.svc.cluster.local:3306 → east mysql.db.svc.cluster.local:3306',
    'west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
  ],
  'gateway-namespaces': [
    'east details.catalogue.svc.cluster.local:9080 → west details.default.svc.cluster.local:9080',
    'east public.catalogue.svc.cluster.local:9080 → west details.default.svc.cluster.local:9080',
    'west mysql.default.svc.cluster.local:3306 → east mysql.db.svc.cluster.local:3306',
    'west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080',
  ],
  'locked': [
    'west mysql.finance.svc.cluster.local:3306 → east mysql.db.svc.cluster.local:3306',
    'west withdraw.finance.svc.cluster.local:8080 → east withdraw.accounts.svc.cluster.local:8080',
  ],
};

test('every scenario has a list of allowed calls', () => {
  expect(Object.keys(CALLS).sort()).toEqual(Object.keys(SCENARIOS).sort());
});

describe.each(Object.keys(CALLS))('the scenario %s', (scenario) => {
  const meshes = meshesOf(scenario);
  const servers = [...meshes].flatMap(([mesh, objects]) => serversOf(objects).map((server) => ({ mesh, ...server })));
  const calls = [...meshes].flatMap(([mesh, objects]) => callsOf(objects).map((call) => ({ mesh, ...call })));
  const trustOf = (mesh: string) => {
    const { roots, lists, configMap } = PUBLISHED[scenario]?.[mesh] ?? { roots: [`${mesh}.pem`] };
    return { ca: configMap ? `externally managed in ${configMap}` : roots.map(trust).join(''), lists: lists && trust(lists) };
  };
  const serverOf = (sni: string) => servers.filter((server) => server.sni === sni);

  test('each local name routes to the service that the peer exports', () => {
    const read = calls.map(({ mesh, local, sni }) => serverOf(sni).map((server) => `${mesh} ${local} → ${server.mesh} ${server.backend}`));
    expect(read.flat().sort()).toEqual(CALLS[scenario]);
    expect(read.every((found) => found.length === 1)).toBe(true);
  });

  test('both sides of each call have the same SNI, identities and CAs', () => {
    for (const call of calls) {
      const [server] = serverOf(call.sni);
      expect(call.authority).toBe(call.sni);
      expect(call.serverIdentities).toEqual([server.serverIdentity]);
      expect(server.clientIdentities).toEqual([call.clientIdentity]);
      expect({ ca: call.ca, lists: call.lists }).toEqual(trustOf(server.mesh));
      expect({ ca: server.ca, lists: server.lists }).toEqual(trustOf(call.mesh));
    }
  });

  test('all controls of the ingress gateway allow the same peers and operations', () => {
    for (const server of servers) {
      const principals = server.clientIdentities.map((uri) => uri.replace('spiffe://', ''));
      expect(server.allowed).toEqual(server.isShared ? [] : principals);
      expect(server.notDenied).toEqual(principals);
      expect(server.routedOperations).toEqual(server.allowedOperations);
    }
  });

  test('RequestAuthentications list exactly the issuers whose JWTs the rules require', () => {
    for (const [mesh, objects] of meshes) {
      const required = servers.filter((server) => server.mesh === mesh).flatMap(({ issuers }) => issuers);
      const rules = objects.filter(({ kind }) => kind === 'RequestAuthentication').flatMap(({ spec }) => spec.jwtRules);
      expect(rules.map(({ issuer }) => issuer).sort()).toEqual([...new Set(required)].sort());
      // The rules of each grant check its audiences; a RequestAuthentication would apply them to all grants.
      expect(rules.every((rule) => rule.audiences === undefined && rule.forwardOriginalToken === true)).toBe(true);
    }
  });

  test('the ingress gateway verifies JWTs only on servers whose rules require one', () => {
    for (const [mesh, objects] of meshes) {
      const own = servers.filter((server) => server.mesh === mesh && server.http);
      const elsewhere = own.filter(({ issuers }) => issuers.length === 0).map(({ sni }) => sni);
      const patches = objects.filter(({ kind, metadata }) => kind === 'EnvoyFilter' && metadata.name === 'fed-in-jwt-elsewhere')
        .flatMap(({ spec }) => spec.configPatches);
      expect(patches.map(({ match }) => match.listener.filterChain.sni).sort()).toEqual(elsewhere.length < own.length ? elsewhere.sort() : []);
    }
  });

  test('a locked workload allows the ingress gateway that exports it', () => {
    for (const [mesh, objects] of meshes) {
      for (const { metadata, spec } of objects.filter(({ kind, metadata: { name } }) => kind === 'AuthorizationPolicy' && name.startsWith('fed-lock-'))) {
        const [server] = servers.filter(({ backend }) => metadata.name === `fed-lock-${backend.split('.').slice(0, 2).join('-')}`);
        expect(server.mesh).toBe(mesh);
        expect(spec.rules[0].from[0].source.notPrincipals).toContain(server.serverIdentity.replace('spiffe://', ''));
      }
    }
  });

  test('all controls of the egress gateway allow the same callers', () => {
    for (const call of calls) {
      const listed = call.callers.map((uri) => uri.replace('spiffe://', ''));
      const principals = call.allowed;
      const namespaces = [...new Set(principals.map((principal) => principal.split('/')[2] ?? '*'))].sort();
      // The handshake can verify only listed callers.
      const unlisted = principals.some((principal) => principal.endsWith('*'));
      expect(listed).toEqual(unlisted ? [] : principals);
      expect(call.notDenied).toEqual(unlisted ? principals : undefined);
      expect(call.routedNamespaces).toEqual(namespaces.includes('*') ? expect.arrayContaining([call.boundary]) : namespaces);
      for (const visibleTo of [call.gatewayVisibleTo, call.nameVisibleTo, call.routeVisibleTo, call.networkOpenTo]) {
        if (!visibleTo.includes('*')) expect(visibleTo).toEqual(expect.arrayContaining(namespaces));
      }
    }
  });

  test('the egress gateway dials ports that the ingress Service of the peer publishes', () => {
    for (const { sni, addresses } of calls) {
      const [{ mesh, boundary, isShared }] = serverOf(sni);
      if (isShared) continue;
      const published = find(meshes.get(mesh)!, 'Service', 'federation-ingress', boundary).spec.ports.map(({ port }: Manifest) => port);
      expect(addresses.map((address) => Number(address.split(':')[1])).filter((port) => !published.includes(port))).toEqual([]);
    }
  });
});
