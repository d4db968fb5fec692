import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { describeError, show } from '../checks/errors';

/*
 * Texts that kubectl reads as numbers. cdk8s writes YAML 1.2 and leaves out quotes where that version needs none. kubectl
 * reads YAML 1.1 as well, in which `0o17`, `0B1` and `0XCAFE` are numbers: it rejects the file, or changes a key.
 */

const NUMBER_TO_KUBECTL = /^[-+]?0[oOBX][\da-fA-F_]+$/;

/** The error of an object that contains such a text. */
export function errorsInTexts(owner: IConstruct, { kind, name }: ApiObject, parts: readonly unknown[]): string[] {
  for (const part of parts) {
    const text = misreadIn(part);
    if (text === undefined) continue;
    return [describeError('FED143', owner, `${show(text)} in the ${kind} ${name} is written without quotes, and kubectl reads it as a number`,
      'use another text, with a letter in front for example')];
  }
  return [];
}

/** The first key or text that kubectl reads as a number. */
function misreadIn(value: unknown): string | undefined {
  if (typeof value === 'string') return isMisread(value) ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const key in value) {
    const found = isMisread(key) ? key : misreadIn(value[key as keyof typeof value]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMisread(text: string): boolean {
  const first = text.charCodeAt(0);
  return (first === 48 || first === 43 || first === 45) && NUMBER_TO_KUBECTL.test(text); // 0 + -
}
