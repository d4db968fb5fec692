import { mergeAnnotations } from '../model/annotations';
import { Annotations, ExportedPort, Grant, HttpOperation, Issuer, Peer } from '../model/model';
import { hasRules, operationsOf, Permission } from '../model/permission';

/** One exported port that one peer may use. What it allows grows with every `allowFrom`. */
export class GrantedPort implements Grant {
  private readonly permissions: Permission[] = [];
  private knownOperations?: HttpOperation[];

  constructor(
    public readonly port: ExportedPort, public readonly peer: Peer, public readonly sni: string, private readonly exportAnnotations: Annotations,
  ) {}

  /** Whether its permissions have rules: all of them have some, or none has. */
  public get limited(): boolean {
    return this.permissions.some(hasRules);
  }

  public get annotations(): Annotations {
    return mergeAnnotations([this.exportAnnotations, ...this.permissions.map(({ annotations }) => annotations)]);
  }

  public get operations(): HttpOperation[] {
    return this.knownOperations ??= operationsOf(this.permissions);
  }

  /** What the permissions list for HTTP, one after the other. */
  public get rules(): HttpOperation[] {
    return this.permissions.flatMap(({ http }) => http ?? []);
  }

  public get issuers(): Issuer[] {
    return this.permissions.flatMap(({ jwt }) => jwt?.issuer ?? []);
  }

  public add(permission: Permission): void {
    this.permissions.push(permission);
    this.knownOperations = undefined;
  }
}
