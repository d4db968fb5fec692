import type { DeclaredPeer } from '../checks/peer';

/**
 * The peers of a boundary by their CAs and trust domains. A further peer can be compared with those that it may overlap
 * with, and not with all of them.
 */
export class TrustIndex {
  private readonly byKey = new Map<string, Set<DeclaredPeer>>();

  public add(peer: DeclaredPeer): void {
    for (const key of keysOf(peer)) this.byKey.set(key, (this.byKey.get(key) ?? new Set()).add(peer));
  }

  /** The other peers that have a CA of the chain of this peer, or its trust domain. */
  public relatedTo(peer: DeclaredPeer, chain: ReadonlyMap<string, unknown>): DeclaredPeer[] {
    const keys = keysOf(peer, chain.keys());
    const related = new Set(keys.flatMap((key) => [...this.byKey.get(key) ?? []]));
    related.delete(peer);
    return [...related];
  }
}

function keysOf({ trustBundle, trustDomain }: DeclaredPeer, authorities: Iterable<string> = trustBundle._authorities): string[] {
  return [...Array.from(authorities, (authority) => `CA ${authority}`), `trust domain ${trustDomain}`];
}
