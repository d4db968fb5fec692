/**
 * Statements of generated programs: what each declares, which others it needs, and how it runs.
 */
import { App, Chart } from 'cdk8s';
import { Dice } from './dice';

export type Protocol = 'http' | 'grpc' | 'tcp' | 'tls';
export interface Boundary { readonly id: string; readonly mesh: string; readonly existing: boolean }
export interface Export {
  readonly id: string;
  readonly owner: string;
  readonly exportName: string;
  readonly ports: readonly [port: number, exportPort: number, Protocol][];
}
export interface Grant { readonly exported: Export; readonly peer: string; readonly ports: readonly number[] | undefined }
export interface Source { readonly exported: Export; readonly mappings: readonly [local: number, exported: number][] | undefined }
export interface Binding { readonly id: string; readonly boundary: Boundary; readonly source: Source }

/** One call of a program. `needs` are the ids of earlier statements whose constructs it uses. */
export interface Statement {
  readonly id: string;
  readonly needs: readonly string[];
  /** What it declares, if it opens something. */
  readonly boundary?: Boundary;
  readonly adds?: { readonly boundary: Boundary; readonly peer: string; readonly isolated: boolean };
  readonly grants?: Grant;
  readonly binds?: Binding;
  readonly sourceOf?: { readonly binding: Binding; readonly source: Source };
  readonly calls?: { readonly binding: Binding };
  run(made: Made): unknown;
}

/** A program so far: its constructs by statement, and every object that it gave to a call. */
export class Made {
  public readonly app = new App();
  public readonly constructs = new Map<string, any>();
  public readonly given: unknown[] = [];

  public give<Value>(value: Value): Value {
    this.given.push(value);
    return value;
  }

  public chart(id: string): Chart {
    return (this.app.node.tryFindChild(id) as Chart | undefined) ?? new Chart(this.app, id);
  }
}

export function trustDomainOf(name: string): string {
  return `${name}.example`;
}

/** The statements in another order: each one after those that it needs. */
export function reordered(statements: readonly Statement[], dice: Dice): Statement[] {
  const left = [...statements];
  const done = new Set<string>();
  const result: Statement[] = [];
  while (left.length > 0) {
    const ready = left.filter(({ needs }) => needs.every((id) => done.has(id)));
    const next = dice.pick(ready);
    left.splice(left.indexOf(next), 1);
    done.add(next.id);
    result.push(next);
  }
  return result;
}
