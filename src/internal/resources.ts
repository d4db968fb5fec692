import { basename } from 'path';

/*
 * How a report tells which object is meant. cdk8s finds the construct of an object by its name alone, the last of that name in the program.
 */

/** A document of some file. */
export interface Manifest {
  readonly file: string;
  readonly document: any;
}

export class Resources {
  /** How many objects have a name, in all files and in each. */
  private readonly counts = new Map<string, number>();

  constructor(manifests: Manifest[], private readonly constructs: { readonly [name: string]: { readonly path: string } }) {
    for (const { file, document } of manifests) {
      for (const key of [plainName(document), `${file}\n${plainName(document)}`]) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    }
  }

  /** What cdk8s is told: the name by which it looks up the construct, or another when that would show somebody else's. */
  public describe({ file, document }: Manifest, mistakes: string[]) {
    const name = plainName(document);
    const locations = mistakes.map((mistake) => `${nameOf(document)}: ${mistake}`);
    if (this.isKnown(file, name)) return { resourceName: name, manifestPath: file, locations };
    return {
      resourceName: nameOf(document),
      manifestPath: file,
      locations: this.constructs[name] ? [...locations, `several objects are called ${name}, so its construct is not known`] : locations,
    };
  }

  private isKnown(file: string, name: string): boolean {
    if (this.counts.get(name) === 1) return true;
    const [chart] = this.constructs[name]?.path.split('/') ?? [];
    return this.counts.get(`${file}\n${name}`) === 1 && chart !== undefined && basename(file).startsWith(`${chart}.`);
  }
}

/** `Kind namespace/name` */
export function nameOf({ kind, metadata }: any): string {
  return `${kind} ${metadata?.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata?.name}`;
}

function plainName({ metadata }: any): string {
  return String(metadata?.name);
}
