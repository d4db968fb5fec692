import { ApiObject } from 'cdk8s';
import type { GatewayConfig } from '../model/model';
import { remove } from '../render';

/*
 * The existing objects of a boundary by key. A key is created once, and the objects of one peer can be removed
 * together.
 */

type Role = GatewayConfig['role'];

/** The purpose of an object or of a group of objects. */
export type PartKey =
  | Role
  | 'admission'
  | 'upstream trust'
  | 'filter jwt'
  | `namespace ${string}`
  | `filter ${Role}`
  | `filter edge ${Role}`
  | `filter idle ${string}`
  | `filter limits ${string}`
  | `trust ${string}`
  | `policies ${string}`
  | `unlisted ${string}`
  | `isolation ${Role} ${string}`
  | `issuer ${string}`
  | `in ${string}`
  | `out ${string}`
  | `grant ${string}`
  | `route ${string}`
  | `upstream ${string}`;

/** The prefix of keys of one kind. */
type PartKind = 'filter ' | 'issuer ' | 'in ' | 'out ';

export class Parts {
  private readonly objects = new Map<PartKey, ApiObject[]>();
  private readonly keysOfKinds = new Map<string, Set<PartKey>>();
  private readonly keysOfPeers = new Map<string, PartKey[]>();

  public has(key: PartKey): boolean {
    return this.objects.has(key);
  }

  public get(key: PartKey): ApiObject[] {
    return this.objects.get(key) ?? [];
  }

  public keys(kind: PartKind): PartKey[] {
    return [...this.keysOfKinds.get(kind) ?? []];
  }

  public all(kind: PartKind): ApiObject[] {
    return this.keys(kind).flatMap((key) => this.get(key));
  }

  /** The objects of one kind, as `Kind namespace/name`. */
  public names(kind: PartKind): string[] {
    return this.all(kind).map((object) => `${object.kind} ${object.metadata.namespace}/${object.name}`).sort();
  }

  public once(key: PartKey, create: () => ApiObject[] | void): void {
    if (!this.objects.has(key)) this.add(key, create() ?? []);
  }

  /** Creates the objects of a key that belongs to one peer. */
  public onceFor(peerName: string, key: PartKey, create: () => ApiObject[]): void {
    if (this.objects.has(key)) return;
    this.add(key, create());
    const keys = this.keysOfPeers.get(peerName) ?? [];
    keys.push(key);
    this.keysOfPeers.set(peerName, keys);
  }

  public remove(key: PartKey): void {
    this.get(key).forEach(remove);
    this.objects.delete(key);
    this.keysOfKinds.get(kindOf(key))?.delete(key);
  }

  public removeAllOf(peerName: string): void {
    this.keysOfPeers.get(peerName)?.forEach((key) => this.remove(key));
  }

  private add(key: PartKey, objects: ApiObject[]): void {
    this.objects.set(key, objects);
    const kind = kindOf(key);
    this.keysOfKinds.set(kind, (this.keysOfKinds.get(kind) ?? new Set()).add(key));
  }
}

/** The first word of a key, with the space after it. */
function kindOf(key: PartKey): string {
  return key.slice(0, key.indexOf(' ') + 1);
}
