import type { Construct } from 'constructs';
import { fail, show } from '../checks/errors';
import type { Issuer } from '../model/model';

/** The issuers of a boundary, each with the construct that required its tokens first. */
export class Issuers {
  private readonly known = new Map<string, { readonly issuer: Issuer; readonly construct: Construct }>();

  public get none(): boolean {
    return this.known.size === 0;
  }

  /** Rejects a second key set for one issuer: the gateway would accept tokens of both. */
  public check(construct: Construct, issuer: Issuer): void {
    const known = this.known.get(issuer.issuer);
    if (!known || JSON.stringify(known.issuer) === JSON.stringify(issuer)) return;
    fail('FED316', construct, `the issuer ${show(issuer.issuer)} has other keys here than in ${known.construct.node.path}`,
      'set the same keys in both, since the gateway would accept tokens of either');
  }

  public claim(construct: Construct, issuer: Issuer): void {
    if (!this.known.has(issuer.issuer)) this.known.set(issuer.issuer, { issuer, construct });
  }
}
