/**
 * Measures the time and memory of synthesis. These are measurements, not tests; docs/performance.md has their results and limits.
 *
 *     npx projen bench synth [documents…]        build and write, against cdk8s with the same documents
 *     npx projen bench growth                    documents and bytes of each further declaration
 *     npx projen bench helm HELM CHARTS [services…]   the same number of services with Helm and the charts of mesh-federation-helm-charts
 */
import { growth } from './growth';
import { helm } from './helm';
import { measureHere, synth } from './synth';

/** Parses the sizes of the command line. */
function sizes(texts: string[]): number[] {
  const invalid = texts.find((text) => !/^[1-9]\d*$/.test(text));
  if (invalid !== undefined) throw new Error(`${invalid} is not a valid size: use a number above zero, or none for the sizes of docs/performance.md`);
  return texts.map(Number);
}

const [what = 'synth', ...rest] = process.argv.slice(2);
switch (what) {
  case 'synth': synth(sizes(rest)); break;
  case 'growth': growth(); break;
  case 'helm': helm(rest[0], rest[1], sizes(rest.slice(2))); break;
  case 'measure': measureHere(rest); break;
  default: throw new Error(`${what} is not a valid measurement: use synth, growth or helm`);
}
