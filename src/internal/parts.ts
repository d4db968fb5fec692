import { ApiObject } from 'cdk8s';

/*
 * The objects of a boundary that exist so far, each under a key: none is made twice, and those of one peer can go again.
 */

export class Parts {
  private readonly objects = new Map<string, ApiObject[]>();
  private readonly keysOfPeers = new Map<string, string[]>();

  public has(key: string): boolean {
    return this.objects.has(key);
  }

  public get(key: string): ApiObject[] {
    return this.objects.get(key) ?? [];
  }

  /** Keys that begin so. */
  public keys(prefix: string): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix));
  }

  /** The objects whose keys begin so, as `Kind namespace/name`. */
  public names(prefix: string): string[] {
    return [...this.objects].flatMap(([key, objects]) => key.startsWith(prefix) ? objects.map(({ kind, name, metadata }) => `${kind} ${metadata.namespace}/${name}`) : []).sort();
  }

  /** The objects whose keys begin so. */
  public all(prefix: string): ApiObject[] {
    return this.keys(prefix).flatMap((key) => this.get(key));
  }

  public once(key: string, create: () => ApiObject[] | void): void {
    if (this.objects.has(key)) return;
    this.objects.set(key, []);
    this.objects.set(key, create() ?? []);
  }

  /** What is there because of one peer. */
  public onceFor(peerName: string, key: string, create: () => ApiObject[]): void {
    if (this.objects.has(key)) return;
    this.once(key, create);
    const keys = this.keysOfPeers.get(peerName) ?? [];
    keys.push(key);
    this.keysOfPeers.set(peerName, keys);
  }

  public remove(key: string): void {
    this.get(key).forEach(({ node }) => node.scope!.node.tryRemoveChild(node.id));
    this.objects.delete(key);
  }

  public removeAllOf(peerName: string): void {
    this.keysOfPeers.get(peerName)?.forEach((key) => this.remove(key));
    this.keysOfPeers.delete(peerName);
  }
}
