import { digestIn, groupOf, isGenerated, listOf, objectName } from './documents';
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
  /** Meshes that use a namespace: with a generated object, as the place of a backend, or as that of a caller. */
  private readonly usedBy = new Map<string, Set<string>>();

  constructor(manifests: readonly Manifest[]) {
    for (const manifest of manifests.filter(({ document }) => isGenerated(document))) {
      add(this.named, objectName(manifest.document), manifest);
      add(this.byKind, manifest.document.kind, manifest);
      if (manifest.mesh !== undefined) for (const name of namespacesIn(manifest.document)) this.addUse(name, manifest.mesh);
    }
    this.guardedNames = new Set(this.ofKind('AuthorizationPolicy').flatMap(({ document }) => deniedNames(document)));
  }

  private addUse(namespaceName: string, mesh: string): void {
    this.usedBy.set(namespaceName, (this.usedBy.get(namespaceName) ?? new Set()).add(mesh));
  }

  /** The generated objects of one kind. */
  public ofKind(kind: string): readonly Manifest[] {
    return this.byKind.get(kind) ?? [];
  }

  /**
   * Whether there is another generated object of the same mesh and name: in the same place, or with another content.
   * Several clusters of a mesh get the same objects.
   */
  public repeats(manifest: Manifest): boolean {
    const digest = digestIn(manifest.document.metadata);
    return this.named.get(objectName(manifest.document))!.some((other) => other !== manifest && other.mesh === manifest.mesh
      && (other.place === manifest.place || digestIn(other.document.metadata) !== digest));
  }

  /**
   * Whether an object of another owner may belong to a mesh: its mesh is that one, or is not known, and no other mesh uses
   * the namespace of the object.
   */
  public mayBeOf({ mesh, document }: Manifest, wanted: Manifest['mesh']): boolean {
    if (wanted === undefined || mesh !== undefined) return isSameMesh(mesh, wanted);
    return [...this.usedBy.get(document.metadata?.namespace) ?? []].every((name) => name === wanted);
  }

  /** Whether a generated object of the mesh of a manifest, or of the mesh that it may belong to, has this name. */
  public declares(manifest: Manifest, name: string): boolean {
    return this.named.get(name)?.some(({ mesh }) => this.mayBeOf(manifest, mesh)) ?? false;
  }

  /**
   * Whether an object that is not generated has the name of one that is. Names in the namespaces of boundaries are the
   * library's in every mesh, so there the mesh need not be known.
   */
  public replaced(manifest: Manifest, boundaryNamespaces: ReadonlySet<string>): boolean {
    const { document, mesh } = manifest;
    const reserved = boundaryNamespaces.has(document.metadata?.namespace ?? document.metadata?.name);
    return this.named.get(objectName(document))?.some((generated) => groupOf(generated.document) === groupOf(document)
      && (this.mayBeOf(manifest, generated.mesh) || reserved && mesh === undefined)) ?? false;
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

/** The namespaces of a generated object, of Services that it names, and of callers that it lists. */
function namespacesIn({ metadata, spec }: any): Set<string> {
  const texts = JSON.stringify(spec ?? {});
  const named = [/\.([a-z0-9-]+)\.svc\./g, /\/ns\/([a-z0-9-]+)\/sa\//g].flatMap((pattern) => [...texts.matchAll(pattern)].map(([, name]) => name));
  return new Set([...metadata?.namespace === undefined ? [] : [String(metadata.namespace)], ...named]);
}

function deniedNames({ spec }: any): string[] {
  if (spec?.action !== 'DENY') return [];
  return listOf(spec.rules).filter((rule) => rule?.from?.[0]?.source?.notPrincipals)
    .flatMap((rule) => listOf(rule.when?.[0]?.values).map((value) => String(value).replace(/^\*/, '')));
}
