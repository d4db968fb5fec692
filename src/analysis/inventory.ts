import { groupOf, isGenerated, listOf, objectName } from './documents';
import { isSameMesh, Manifest } from './manifests';

/*
 * Which generated objects are among the manifests.
 */

export class Inventory {
  /** Generated objects by name, as `Kind namespace/name`. */
  private readonly named = new Map<string, Manifest[]>();
  /** Generated objects by kind. */
  private readonly byKind = new Map<string, Manifest[]>();
  /** The SNIs, and suffixes of SNIs, that policies deny to all identities but some. */
  public readonly guardedNames: ReadonlySet<string>;
  /** How many admission policies list an EnvoyFilter. */
  public readonly listedFilters: ReadonlyMap<string, number>;

  constructor(manifests: readonly Manifest[]) {
    for (const manifest of manifests.filter(({ document }) => isGenerated(document))) {
      add(this.named, objectName(manifest.document), manifest);
      add(this.byKind, manifest.document.kind, manifest);
    }
    this.guardedNames = new Set(this.ofKind('AuthorizationPolicy').flatMap(({ document }) => deniedNames(document)));
    const listed = new Map<string, number>();
    for (const { document } of this.ofKind('ValidatingAdmissionPolicy')) {
      for (const name of filtersListed(document)) listed.set(name, (listed.get(name) ?? 0) + 1);
    }
    this.listedFilters = listed;
  }

  /**
   * How many generated objects have a name, such as `AuthorizationPolicy istio-federation/fed-in-guard`: one for each
   * mesh of the app.
   */
  public count(name: string): number {
    return this.named.get(name)?.length ?? 0;
  }

  /** The generated objects of one kind. */
  public ofKind(kind: string): readonly Manifest[] {
    return this.byKind.get(kind) ?? [];
  }

  /** Whether a place has several generated objects with the name of this one. */
  public repeats({ place, document }: Manifest): boolean {
    return this.named.get(objectName(document))!.filter((manifest) => manifest.place === place).length > 1;
  }

  /** Whether a generated object of the same mesh has this name. */
  public declares({ mesh }: Manifest, name: string): boolean {
    return this.named.get(name)?.some((manifest) => isSameMesh(mesh, manifest.mesh)) ?? false;
  }

  /**
   * Whether an object that is not generated has the name of one that is. Names in the namespaces of boundaries are the
   * library's in every mesh, so there the mesh need not be known.
   */
  public replaced({ document, mesh }: Manifest, boundaryNamespaces: ReadonlySet<string>): boolean {
    const reserved = boundaryNamespaces.has(document.metadata?.namespace ?? document.metadata?.name);
    return this.named.get(objectName(document))?.some((manifest) => groupOf(manifest.document) === groupOf(document)
      && (isSameMesh(mesh, manifest.mesh) || reserved && mesh === undefined)) ?? false;
  }
}

function add<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

/** The EnvoyFilters that an admission policy allows in the namespace of a boundary. */
export function filtersListed({ spec }: any): string[] {
  return [...new Set(JSON.stringify(spec?.variables ?? []).match(/EnvoyFilter [a-z0-9.-]+\/[a-z0-9.-]+/g))];
}

function deniedNames({ spec }: any): string[] {
  if (spec?.action !== 'DENY') return [];
  return listOf(spec.rules).filter((rule) => rule?.from?.[0]?.source?.notPrincipals)
    .flatMap((rule) => listOf(rule.when?.[0]?.values).map((value) => String(value).replace(/^\*/, '')));
}
