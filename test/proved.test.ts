import { readFileSync } from 'fs';
import { join } from 'path';
import { filesOf, find, keyOf, Manifest, parse } from './support/manifests';
import { SCENARIOS } from './support/scenarios';

/*
 * `proved/` holds the manifests of the article's scenario that were written by hand, applied unchanged to real API servers and enforced
 * by real proxies. The library's output is the same but for certificates and the differences that are listed here, each decided and
 * each undone before comparing.
 */

/** Headers that are removed besides the proved ones: other spellings of what those tell, and ones that override method or path. */
const MORE_HEADERS = [
  'x-cluster-client-ip', 'x-forwarded-prefix', 'x-forwarded-scheme', 'x-forwarded-server', 'x-forwarded-uri', 'x-host', 'x-http-method',
  'x-http-method-override', 'x-method-override', 'x-original-forwarded-for', 'x-original-host', 'x-original-url', 'x-rewrite-url',
];

const files = filesOf(SCENARIOS['two-meshes-http']());

function written(mesh: string): Manifest[] {
  return parse(files.get(mesh)!).map(withoutOwner).map(comparable);
}

/** Labels that say whose an object is came later. */
function withoutOwner({ metadata: { labels, ...metadata }, ...rest }: Manifest): Manifest {
  const { 'app.kubernetes.io/managed-by': by, 'app.kubernetes.io/part-of': of, ...others } = labels;
  expect([by, of]).toEqual(['cdk8s-mesh-federation', 'mesh-federation']);
  return { ...rest, metadata: { ...metadata, ...Object.keys(others).length > 0 ? { labels: others } : {} } };
}

function proved(mesh: string): Manifest[] {
  return parse(readFileSync(join(__dirname, 'proved', `${mesh}.yaml`), 'utf8')).map(comparable);
}

/**
 * Certificates are those of another run and lie elsewhere; lists of headers to remove are sorted; pod labels and selectors carry the
 * namespace, listeners and their routes the peer; gateways keep more counters. */
function comparable(manifest: Manifest): Manifest {
  const text = JSON.stringify(manifest, (key, value) => key === 'remove' && Array.isArray(value) ? value.filter((name) => !MORE_HEADERS.includes(name)).sort() : value)
    .replace(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/g, 'PEM')
    .replaceAll('/var/run/federation/workload', '/etc/federation/workload')
    .replace(/proxyStatsMatcher:\\n +inclusionRegexps:\\n(?: +- \S+?\\n)+/, '')
    .replace(/"name":"((?:https-)?reviews-9080)-west(-[a-z-]+)?"/g, '"name":"$1$2"')
    .replaceAll('"istio":"istio-federation-', '"istio":"federation-')
    .replaceAll('\'istio\': \'istio-federation-', '\'istio\': \'federation-');
  return JSON.parse(text);
}

function expectSame(actual: Manifest[], expected: Manifest[]): void {
  expect(actual.map(keyOf).sort()).toEqual(expected.map(keyOf).sort());
  for (const manifest of expected) {
    expect(find(actual, manifest.kind, manifest.metadata.name, manifest.metadata.namespace)).toEqual(manifest);
  }
}

/** The admission policy is compared by what it refuses (admission.test.ts): here only that nothing else of it differs. */
function withoutExpressions(manifests: Manifest[]): Manifest[] {
  return manifests.map((manifest) => manifest.kind !== 'ValidatingAdmissionPolicy' ? manifest : {
    ...manifest,
    spec: {
      ...manifest.spec,
      variables: manifest.spec.variables.map(({ name }: Manifest) => name).filter((name: string) => !['boundaryNamespaces', 'wildcards'].includes(name)),
      matchConditions: undefined,
      validations: manifest.spec.validations.map(({ messageExpression }: Manifest) => messageExpression),
    },
  });
}

function renamed(manifest: Manifest, name: string): Manifest {
  return { ...manifest, metadata: { ...manifest.metadata, name } };
}

test('east is what was proved, but that rules are enforced by routes in place of a DENY policy, more spellings are refused, the gateway reaches fewer namespaces, and istioctl analyze is told about builtin://', () => {
  const expected = proved('east').filter(({ metadata }) => metadata.name !== 'fed-in-guard-reviews-9080-west');
  const actual = written('east').map((manifest) => {
    if (manifest.kind === 'NetworkPolicy' && manifest.metadata.name === 'federation-ingress') {
      const [names, backends] = manifest.spec.egress;
      expect(backends.to.map(({ namespaceSelector }: Manifest) => namespaceSelector.matchLabels)).toEqual([
        { 'kubernetes.io/metadata.name': 'default' }, { 'kubernetes.io/metadata.name': 'monitoring' },
      ]);
      return { ...manifest, spec: { ...manifest.spec, egress: [names, { to: [{ namespaceSelector: {} }] }] } };
    }
    if (manifest.kind === 'Gateway') {
      expect(manifest.metadata.annotations).toEqual({ 'galley.istio.io/analyze-suppress': 'IST0101,IST0138' });
      delete manifest.metadata.annotations;
    }
    if (manifest.kind !== 'VirtualService') return manifest;
    const [ambiguous, open, refused] = manifest.spec.http;
    expect(refused).toEqual({ name: 'reviews-9080-refused', directResponse: { status: 403 } });
    expect(ambiguous.match[0].uri.regex).toContain('2[eEfF]|5[cC]');
    ambiguous.match[0].uri.regex = '.*(%2[fF]|%5[cC]|%00|\\\\).*';
    expect(open.match).toEqual([{ method: { exact: 'GET' }, uri: { prefix: '/reviews/' } }]);
    delete open.match;
    return { ...manifest, spec: { ...manifest.spec, http: [ambiguous, open] } };
  });
  expectSame(withoutExpressions(actual), withoutExpressions(expected));
});

test('west is what was proved, but that upstream objects are named by the export, and what stands with applications by its namespace too', () => {
  const expected = proved('west').map((manifest) => {
    const upstream = manifest.kind === 'ServiceEntry' || manifest.kind === 'DestinationRule' && manifest.metadata.namespace === 'istio-federation';
    if (manifest.kind === 'DestinationRule' && !upstream) return renamed(manifest, 'fed-call-reviews-9080-default-east-default');
    if (manifest.metadata.name === 'fed-out-reviews') return renamed(manifest, 'fed-name-reviews-default');
    return upstream ? renamed(manifest, 'fed-out-reviews-9080-east') : manifest;
  });
  expectSame(withoutExpressions(written('west')), withoutExpressions(expected));
});
