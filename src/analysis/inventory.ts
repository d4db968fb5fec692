import { groupOf, isGenerated, listOf, objectName } from './documents';
import { isSameMesh, Manifest } from './manifests';

/*
 * Which generated objects are among the manifests.
 */

export class Inventory {
  /** Generated objects by name, as `Kind namespace/name`. */
  private readonly named = new Map<string, Manifest[]>();
  /** Generated objects by place and kind. */
  private readonly byKind = new Map<string, any[]>();
  /** Names that policies guard, by place. */
  private readonly guarded = new Map<string, ReadonlySet<string>>();

  constructor(manifests: readonly Manifest[]) {
    for (const manifest of manifests.filter(({ document }) => isGenerated(document))) {
      add(this.named, objectName(manifest.document), manifest);
      add(this.byKind, `${manifest.place}\n${manifest.document.kind}`, manifest.document);
    }
  }

  /** Whether a place has a generated object: `AuthorizationPolicy istio-federation/fed-in-guard`. */
  public has(place: string, name: string): boolean {
    return this.named.get(name)?.some((manifest) => manifest.place === place) ?? false;
  }

  /** The generated objects of one kind in a place. */
  public ofKind(place: string, kind: string): readonly any[] {
    return this.byKind.get(`${place}\n${kind}`) ?? [];
  }

  /** The SNIs, and suffixes of SNIs, that policies of a place deny to all identities but some. */
  public guardedNames(place: string): ReadonlySet<string> {
    const known = this.guarded.get(place) ?? new Set(this.ofKind(place, 'AuthorizationPolicy').flatMap(deniedNames));
    this.guarded.set(place, known);
    return known;
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

function deniedNames({ spec }: any): string[] {
  if (spec?.action !== 'DENY') return [];
  return listOf(spec.rules).filter((rule) => rule?.from?.[0]?.source?.notPrincipals)
    .flatMap((rule) => listOf(rule.when?.[0]?.values).map((value) => String(value).replace(/^\*/, '')));
}
