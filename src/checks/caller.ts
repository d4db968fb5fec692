import { fail, Where } from './errors';
import { checkGiven } from './kinds';
import { Caller } from '../caller';

/** Requires at least one caller. */
export function checkCallers(where: Where, callers: Caller[]): void {
  if (callers.length === 0) fail('FED120', where, 'allowFrom is called without a caller', 'list each caller: Caller.serviceAccount(…)');
  for (const caller of callers) checkGiven(where, 'the caller', caller, Caller);
}
