import type { Demand } from './jwt-checks';
import { Grant, HttpOperation, Issuer, Notes, Peer, Protocol } from './model';
import { mergeNotes, notesOf } from './notes';
import { compare } from './order';
import type { AllowFromOptions } from '../grant';

/** What one `allowFrom` says about a port. */
interface Stated {
  readonly options: AllowFromOptions;
  readonly demand?: Demand;
}

/** An exported port that is open for one peer; what it allows grows with every `allowFrom`. */
export class OpenPort implements Grant {
  public readonly exportName: string;
  public readonly exportPort: number;
  public readonly protocol: Protocol;
  public readonly peer: Peer;
  public readonly sni: string;
  public readonly backend: Grant['backend'];
  public readonly requestTimeout?: number;
  public readonly idleTimeout?: number;
  private readonly exportNotes: Notes;
  private readonly stated: Stated[] = [];
  private known?: HttpOperation[];

  constructor(grant: Omit<Grant, 'operations' | 'issuers'>) {
    this.exportName = grant.exportName;
    this.exportPort = grant.exportPort;
    this.protocol = grant.protocol;
    this.peer = grant.peer;
    this.sni = grant.sni;
    this.backend = grant.backend;
    this.requestTimeout = grant.requestTimeout;
    this.idleTimeout = grant.idleTimeout;
    this.exportNotes = grant.notes;
  }

  public get limited(): boolean {
    return this.stated.some(({ options }) => isLimited(options));
  }

  public get notes(): Notes {
    return mergeNotes([this.exportNotes, ...this.stated.map(({ options }) => notesOf(options))]);
  }

  public get operations(): HttpOperation[] {
    return this.known ??= this.joinOperations();
  }

  public get issuers(): Issuer[] {
    return this.stated.flatMap(({ demand }) => demand ? [demand.issuer] : []);
  }

  /** A copy: what was checked is what is written, whatever the program does with its lists later. */
  public add(options: AllowFromOptions, demand?: Demand): void {
    this.stated.push({ options: structuredClone(options), demand });
    this.known = undefined;
  }

  private joinOperations(): HttpOperation[] {
    const tokens = distinct(this.stated.map(({ demand }) => JSON.stringify({ token: demand?.token })));
    const operations = tokens.flatMap((key) => {
      const withIt = this.stated.filter(({ demand }) => JSON.stringify({ token: demand?.token }) === key);
      return operationsOf(withIt.map(({ options }) => options)).map((operation) => ({ ...operation, ...JSON.parse(key) }));
    });
    return distinct(operations.map((operation) => JSON.stringify(operation))).map((text) => JSON.parse(text));
  }
}

/** What is allowed with one token, or without any. Whoever needs one and nothing else may ask everything with it. */
function operationsOf(stated: AllowFromOptions[]): HttpOperation[] {
  const ofHttp = stated.flatMap(({ http }) => http ?? []).map(({ methods, paths, exceptPaths, requiredHeaders }): HttpOperation => ({
    ...methods ? { methods: distinct(methods) } : {},
    ...paths ? { paths: distinct(paths) } : {},
    ...exceptPaths ? { exceptPaths: distinct(exceptPaths) } : {},
    ...requiredHeaders ? { headers: Object.fromEntries(Object.entries(requiredHeaders).sort(([a], [b]) => compare(a, b))) } : {},
  }));
  const methods = stated.flatMap(({ grpcMethods }) => grpcMethods ?? []);
  const ofGrpc: HttpOperation[] = methods.length === 0 ? [] : [{ methods: ['POST'], paths: distinct(methods) }];
  const everything = stated.some((options) => options.jwt && !isLimited(options)) ? [{}] : [];
  return [...ofHttp, ...ofGrpc, ...everything];
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)].sort(compare);
}

/** Whether a grant has rules. One without allows every request. */
export function isLimited({ http, grpcMethods }: AllowFromOptions): boolean {
  return http !== undefined || grpcMethods !== undefined;
}
