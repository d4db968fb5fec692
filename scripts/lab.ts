/**
 * Writes what the lab applies: every golden scenario, the demo, and what becomes of the article when consent is withdrawn. The roots are
 * those of the meshes that are there.
 *
 *     TRUST_DIRECTORY=<folder with east.pem, …> ts-node scripts/lab.ts <folder> [scenario …]
 */
import { mkdirSync, writeFileSync } from 'fs';
import { join } from 'path';
import { App } from 'cdk8s';
import { bookinfo } from '../examples/bookinfo/main';
import { LocalService, ServicePort } from '../src';
import { filesOf } from '../test/support/manifests';
import { meshOf, SCENARIOS } from '../test/support/scenarios';

const reviews = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

/** East alone, after it has taken its grant to west back. West has not heard of it. */
function grantWithdrawn(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  east.addPeer(meshOf(new App(), 'west'));
  east.expose('Reviews', reviews);
  return [app];
}

/** East alone, grants to north only: west is no peer any more. */
function peerRemoved(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const north = meshOf(new App(), 'north');
  east.addPeer(north);
  east.expose('Reviews', reviews).allowFrom(north);
  return [app];
}

const PROGRAMS: { readonly [name: string]: () => App[] } = {
  ...SCENARIOS,
  'bookinfo': () => [bookinfo().app],
  'grant-withdrawn': grantWithdrawn,
  'peer-removed': peerRemoved,
};

const [folder, ...wanted] = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(PROGRAMS)) {
  mkdirSync(join(folder, name), { recursive: true });
  for (const [chart, text] of filesOf(PROGRAMS[name]())) writeFileSync(join(folder, name, `${chart}.yaml`), text);
}
