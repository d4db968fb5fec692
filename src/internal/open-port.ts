import { compare } from './boundary';
import { Grant, HttpOperation, Notes, Peer, Protocol } from './model';
import { mergeNotes, notesOf } from './notes';
import type { AllowFromOptions } from '../expose';

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
  public readonly exposureNotes: Notes;
  private readonly stated: AllowFromOptions[] = [];

  constructor(grant: Omit<Grant, 'operations' | 'grantNotes'>) {
    this.exportName = grant.exportName;
    this.exportPort = grant.exportPort;
    this.protocol = grant.protocol;
    this.peer = grant.peer;
    this.sni = grant.sni;
    this.backend = grant.backend;
    this.requestTimeout = grant.requestTimeout;
    this.idleTimeout = grant.idleTimeout;
    this.exposureNotes = grant.exposureNotes;
  }

  public get limited(): boolean {
    return this.stated.some(isLimited);
  }

  public get grantNotes(): Notes {
    return mergeNotes(this.stated.map(notesOf));
  }

  public get operations(): HttpOperation[] {
    const ofHttp = this.stated.flatMap(({ http }) => http ?? []).map(({ methods, paths, exceptPaths, requiredHeaders }): HttpOperation => ({
      ...methods ? { methods: distinct(methods) } : {},
      ...paths ? { paths: distinct(paths) } : {},
      ...exceptPaths ? { exceptPaths: distinct(exceptPaths) } : {},
      ...requiredHeaders ? { headers: Object.fromEntries(Object.entries(requiredHeaders).sort(([a], [b]) => compare(a, b))) } : {},
    }));
    const methods = this.stated.flatMap(({ grpcMethods }) => grpcMethods ?? []);
    const ofGrpc: HttpOperation[] = methods.length === 0 ? [] : [{ methods: ['POST'], paths: distinct(methods) }];
    return distinct([...ofHttp, ...ofGrpc].map((operation) => JSON.stringify(operation))).map((text) => JSON.parse(text));
  }

  /** A copy: what was checked is what is written, whatever the program does with its lists later. */
  public add(options: AllowFromOptions): void {
    this.stated.push(structuredClone(options));
  }
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)].sort(compare);
}

/** Whether a grant has rules. One without allows every request. */
export function isLimited({ http, grpcMethods }: AllowFromOptions): boolean {
  return http !== undefined || grpcMethods !== undefined;
}
