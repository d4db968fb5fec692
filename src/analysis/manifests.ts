import { dirname } from 'path';
import { isGeneratedAs, listOf, meshIn, objectsIn } from './documents';
import type { SourceFile } from './files';
import { GATEWAY_NAMES } from '../boundary/config';
import { PREFIX } from '../model/names';

/*
 * The documents of an app, and to which mesh each belongs. A program often holds several meshes, and objects of the same
 * name in two of them have nothing to do with each other.
 */

/** A document and the file that contains it. */
export interface Manifest {
  readonly file: string;
  readonly document: any;
  /** The file, or the folder of files with one document each: what is applied together. */
  readonly place: string;
  /**
   * The mesh to which the document belongs: that of its label, or of the generated objects in the same place, or the
   * only one. Undefined if it may be one of several.
   */
  readonly mesh: string | undefined;
}

/** The documents of all files. */
export function manifestsOf(files: readonly SourceFile[]): Manifest[] {
  const located = files.flatMap(({ file, parsed }) => {
    const documents = objectsIn(parsed);
    const place = documents.length === 1 ? dirname(file) : file;
    return documents.map((document) => ({ file, document, place }));
  });
  const meshes = new Map<string, Set<string>>();
  for (const { document, place } of located) {
    const meshName = meshIn(document);
    if (meshName !== undefined) meshes.set(place, (meshes.get(place) ?? new Set()).add(meshName));
  }
  const onlyOne = (names: ReadonlySet<string>) => names.size === 1 ? [...names][0] : undefined;
  const only = onlyOne(new Set([...meshes.values()].flatMap((names) => [...names])));
  return located.map((manifest) => {
    const inPlace = meshes.get(manifest.place);
    return { ...manifest, mesh: meshIn(manifest.document) ?? (inPlace ? onlyOne(inPlace) : only) };
  });
}

/** Whether an object is the Deployment of a generated gateway. */
export function isGateway(document: any): boolean {
  return isGeneratedAs(document, 'Deployment', '') && GATEWAY_NAMES.includes(document.metadata?.name);
}

/** Whether two objects are known to belong to one mesh. */
export function isSameMesh(one: Manifest['mesh'], other: Manifest['mesh']): boolean {
  return one !== undefined && one === other;
}

/**
 * Suffixes of the SNIs of the mesh of a generated object, such as `.fed.east.example`: from the policy of a gateway that
 * denies all others, and from the rule with which callers reach the egress gateway.
 */
export function ownDomains(document: any): string[] {
  const { metadata, spec } = document;
  const guarded = isGeneratedAs(document, 'AuthorizationPolicy', '') && [PREFIX.ingress, PREFIX.egress].some((prefix) => metadata.name === `${prefix}-guard`)
    ? listOf(spec?.rules?.[0]?.when).flatMap((condition) => [...listOf(condition?.values), ...listOf(condition?.notValues)])
    : [];
  const called = isGeneratedAs(document, 'DestinationRule', `${PREFIX.caller}-`)
    ? listOf(spec?.subsets).map((subset) => subset?.trafficPolicy?.tls?.sni) : [];
  return [
    ...guarded.flatMap((value) => /^\*(?:\.egress)?(\.fed\..+)$/.exec(String(value))?.[1] ?? []),
    ...called.flatMap((sni) => /\.egress(\.fed\..+)$/.exec(String(sni))?.[1] ?? []),
  ];
}
