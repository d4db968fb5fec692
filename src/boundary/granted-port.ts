import { isFoldableRule } from '../checks/http-rule';
import { mergeAnnotations } from '../model/annotations';
import { Annotations, ExportedPort, Grant, HttpOperation, Issuer, Peer } from '../model/model';
import { hasRules, operationsOf, Permission } from '../model/permission';

/**
 * One exported port that one peer may use. What it allows grows with every `allowFrom`, and the cost of a further call does
 * not grow with the number of earlier ones: what a call needs is kept up to date, the rest is computed for the output.
 */
export class GrantedPort implements Grant {
  private readonly permissions: Permission[] = [];
  private readonly issuersByName = new Map<string, Issuer>();
  private knownOperations?: HttpOperation[];
  private knownAnnotations?: Annotations;
  private withRules = false;
  private excepting?: HttpOperation;
  private foldable?: HttpOperation;

  constructor(
    public readonly port: ExportedPort, public readonly peer: Peer, public readonly sni: string, private readonly exportAnnotations: Annotations,
  ) {}

  /** Whether its permissions have rules: all of them have some, or none has. */
  public get limited(): boolean {
    return this.withRules;
  }

  public get annotations(): Annotations {
    return this.knownAnnotations ??= mergeAnnotations([this.exportAnnotations, ...this.permissions.map(({ annotations }) => annotations)]);
  }

  public get operations(): HttpOperation[] {
    return this.knownOperations ??= operationsOf(this.permissions);
  }

  /** Of the rules for HTTP, one with exceptions and one with a spelling that exceptions exclude, if there are any. */
  public get spellings(): HttpOperation[] {
    return [this.excepting, this.foldable].filter((rule) => rule !== undefined);
  }

  public get issuers(): Issuer[] {
    return [...this.issuersByName.values()];
  }

  public add(permission: Permission): void {
    this.permissions.push(permission);
    const { http = [], jwt } = permission;
    this.withRules ||= hasRules(permission);
    this.excepting ??= http.find(({ exceptPaths }) => exceptPaths !== undefined);
    this.foldable ??= http.find(isFoldableRule);
    if (jwt) this.issuersByName.set(jwt.issuer.issuer, jwt.issuer);
    this.knownOperations = undefined;
    this.knownAnnotations = undefined;
  }
}
