import type { Construct } from 'constructs';
import { fail, show } from './errors';
import type { Issuer } from './model';

/** Whose tokens a boundary believes, and where that was said first. */
export class Issuers {
  private readonly known = new Map<string, { readonly issuer: Issuer; readonly where: Construct }>();

  public get none(): boolean {
    return this.known.size === 0;
  }

  /** An issuer has one set of keys, whatever exposure demands its tokens: the gateway would believe both. */
  public believe(where: Construct, issuer: Issuer): void {
    const known = this.known.get(issuer.issuer) ?? { issuer, where };
    if (JSON.stringify(known.issuer) !== JSON.stringify(issuer)) {
      fail('FED316', where, `the issuer ${show(issuer.issuer)} has other keys here than in ${known.where.node.path}`,
        'say the same in both, since a token of either would be taken for one of the other');
    }
    this.known.set(issuer.issuer, known);
  }
}
