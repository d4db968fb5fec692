import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { describeError, show } from '../checks/errors';
import { isNumberToKubectl } from '../checks/values';

/*
 * Texts that kubectl reads as numbers, wherever an object has them: it would reject the file, or change a key.
 */

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
  if (typeof value === 'string') return isNumberToKubectl(value) ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const key in value) {
    const found = isNumberToKubectl(key) ? key : misreadIn(value[key as keyof typeof value]);
    if (found !== undefined) return found;
  }
  return undefined;
}
