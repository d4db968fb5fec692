/**
 * The current output of the golden scenarios. Tests check this output, not the committed manifests, so a change that breaks a rule fails
 * the test of that rule, and not only the comparison of texts.
 */
import { filesOf, Manifest, parse } from './manifests';
import { SCENARIOS } from '../scenarios';

const written = new Map<string, ReadonlyMap<string, string>>();

/** The files of a scenario by chart. Its program runs once in a test file. */
export function outputOf(scenario: string): ReadonlyMap<string, string> {
  const files = written.get(scenario) ?? filesOf(SCENARIOS[scenario]());
  written.set(scenario, files);
  return files;
}

/** All files, such as `two-meshes-http/east`. */
export const FILES = () => Object.keys(SCENARIOS).flatMap((scenario) => [...outputOf(scenario).keys()].map((chart) => `${scenario}/${chart}`));

/** The text of one of these files. */
export function textIn(file: string): string {
  const [scenario, chart] = file.split('/');
  return outputOf(scenario).get(chart)!;
}

/** The objects of one of these files. */
export function manifestsIn(file: string): Manifest[] {
  return parse(textIn(file));
}
