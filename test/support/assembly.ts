/**
 * The public API as jsii passes it to the generators of other languages, and rules for it beyond those of jsii.
 */
import { execFileSync } from 'child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { compileJsiiForTest } from 'jsii';

export type Assembly = ReturnType<typeof compileJsiiForTest>['assembly'];
type Type = NonNullable<Assembly['types']>[string];
interface Named { readonly name: string; readonly docs?: Docs }
interface Docs { readonly summary?: string; readonly remarks?: string; readonly default?: string; readonly example?: string }
interface Value extends Named { readonly type: unknown; readonly optional?: boolean; readonly static?: boolean }
interface Callable extends Named { readonly parameters?: Value[]; readonly returns?: Value; readonly static?: boolean }

const root = join(__dirname, '..', '..');

/** Compiles the library as for a release, outside of the checkout. Names for which jsii prints a warning are errors. */
export function compileProject(): Assembly {
  const directory = mkdtempSync(join(tmpdir(), 'assembly-'));
  try {
    for (const name of ['package.json', 'tsconfig.json', 'README.md', 'LICENSE', 'src', 'imports']) cpSync(join(root, name), join(directory, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    execFileSync(process.execPath, [join(root, 'node_modules/jsii/bin/jsii'), '--fail-on-warnings'], { cwd: directory, stdio: 'pipe' });
    return JSON.parse(readFileSync(join(directory, '.jsii'), 'utf8'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The rules for an assembly. Each returns its violations, such as `Type.member: reason`. */
export const rules: Readonly<Record<string, (assembly: Assembly) => string[]>> = {
  'no unions and no intersections': (assembly) => valuesOf(assembly)
    .filter(({ value }) => /"(union|intersection)":/.test(JSON.stringify(value.type)))
    .map(({ path }) => path),

  'no any': (assembly) => valuesOf(assembly)
    .filter(({ value }) => JSON.stringify(value.type).includes('{"primitive":"any"}'))
    .map(({ path }) => path),

  'no type of imports/ or of another package': (assembly) => [
    ...typesOf(assembly).filter(({ locationInModule }) => !locationInModule?.filename.startsWith('src/')).map(({ name }) => name),
    ...typesOf(assembly).flatMap((type) => [...JSON.stringify(type).matchAll(/"(?:fqn|base)":"([^"]+)"/g)].map(([, fqn]) => fqn)
      .filter((fqn) => !fqn.startsWith(`${assembly.name}.`) && !OTHERS.includes(fqn))
      .map((fqn) => `${type.name}: ${fqn}`)),
  ],

  'no name that a language changes': (assembly) => [
    ...typesOf(assembly).flatMap((type) => [type, ...membersOf(type)].map((named) => [type === named ? '' : `${type.name}.`, named.name])),
    ...valuesOf(assembly).map(({ path, value }) => [`${path.slice(0, path.lastIndexOf('.'))}.`, value.name]),
  ].filter(([, name]) => CHANGED.has(name) || /^_|_$/.test(name)).map(([owner, name]) => owner + name),

  'no two names that are one in another language': (assembly) => [
    ...typesOf(assembly).flatMap((type) => [
      ...same(memberNames(assembly, type)).map((names) => `${type.name}: ${names}`),
      // In C#, no member can have the name of its class.
      ...membersOf(type).filter(({ name }) => folded(name) === folded(type.name)).map(({ name }) => `${type.name}: ${name}`),
      // In Python, the fields of the last struct are keyword arguments of the call.
      ...callablesOf(type).flatMap((callable) => {
        const parameters = callable.parameters ?? [];
        const struct = typesOf(assembly).find(({ fqn }) => fqn === (parameters.at(-1)?.type as { fqn?: string } | undefined)?.fqn);
        const fields = struct && isStruct(struct) ? memberNames(assembly, struct) : [];
        return same([...parameters.slice(0, fields.length > 0 ? -1 : undefined).map(({ name }) => name), ...fields])
          .map((names) => `${type.name}.${callable.name}: ${names}`);
      }),
    ]),
    // C# has an interface IName for a struct Name, and Go has a function NewName for a class Name.
    ...same(typesOf(assembly).flatMap((type) => [type.name, ...isStruct(type) ? [`I${type.name}`] : [], ...type.kind === 'class' ? [`New${type.name}`] : []])),
  ],

  'everything has a sentence': (assembly) => [
    ...typesOf(assembly).flatMap((type) => documentedOf(type)
      .filter(({ docs }) => !/[.!?)`]$/.test(docs?.summary ?? ''))
      .map(({ name }) => type.name === name ? name : `${type.name}.${name}`)),
    ...typesOf(assembly).filter(isStruct).flatMap((type) => (membersOf(type) as Value[])
      .filter(({ docs, optional }) => optional && !docs?.default)
      .map(({ name }) => `${type.name}.${name}: @default`)),
    // The doc comment of a type of the library documents parameters of this type.
    ...typesOf(assembly).flatMap((type) => callablesOf(type).flatMap((callable) => (callable.parameters ?? [])
      .filter(({ name, docs, type: { primitive } }: any) => primitive && !docs?.summary && !(callable.name === 'constructor' && name === 'id'))
      .map(({ name }) => `${type.name}.${callable.name}.${name}: @param`))),
  ],

  // An example in a comment without a declaration is not compiled, and editors do not show it.
  'every class and every set of options has an example': (assembly) => typesOf(assembly)
    .filter((type) => (type.kind === 'class' || isStruct(type)) && !type.docs?.example)
    .map(({ name }) => name),

  // docs/errors.md lists which call raises which code, and is tested. A second list in a comment would not be tested.
  'no comment lists more than two codes': (assembly) => typesOf(assembly).flatMap((type) => documentedOf(type)
    .filter(({ docs }) => new Set(JSON.stringify(docs ?? {}).match(/\bFED\d{3}\b/g)).size > 2)
    .map(({ name }) => type.name === name ? name : `${type.name}.${name}`)),
};

/** Types of other packages in the public API. They are part of every cdk8s program. */
const OTHERS = ['constructs.Construct', 'constructs.IConstruct', 'cdk8s.Duration'];

/** Names that jsii accepts without a warning, but that are members of every object in Java or C#, or reserved in Python. */
const CHANGED = new Set(['clone', 'finalize', 'notify', 'notifyAll', 'wait', 'memberwiseClone', 'referenceEquals', 'async', 'await']);

const typesOf = (assembly: Assembly): Type[] => Object.values(assembly.types ?? {});
const isStruct = (type: Type): boolean => type.kind === 'interface' && type.datatype === true;

function membersOf(type: Type): Named[] {
  return type.kind === 'enum' ? type.members : [...type.properties ?? [], ...type.methods ?? []];
}

function callablesOf(type: Type): Callable[] {
  if (type.kind === 'enum') return [];
  const methods = (type.methods ?? []) as Callable[];
  return type.kind === 'class' && type.initializer ? [...methods, { ...type.initializer, name: 'constructor' } as Callable] : methods;
}

/** Everything that has a doc comment. */
function documentedOf(type: Type): Named[] {
  return [type, ...membersOf(type), ...callablesOf(type).filter(({ name }) => name === 'constructor')];
}

/** Everything that has a type: properties, parameters and results. */
function valuesOf(assembly: Assembly): { path: string; value: Value }[] {
  return typesOf(assembly).flatMap((type) => [
    ...type.kind === 'enum' ? [] : ((type.properties ?? []) as Value[]).map((value) => ({ path: `${type.name}.${value.name}`, value })),
    ...callablesOf(type).flatMap(({ name, parameters = [], returns }) => [
      ...parameters.map((value) => ({ path: `${type.name}.${name}.${value.name}`, value })),
      ...returns ? [{ path: `${type.name}.${name}.returns`, value: { ...returns, name: 'returns' } }] : [],
    ]),
  ]);
}

/** A type and the types of the same assembly that it extends or implements. */
function inheritedBy(assembly: Assembly, type: Type, seen = new Set<Type>()): Set<Type> {
  seen.add(type);
  const above = [...type.kind === 'class' && type.base ? [type.base] : [], ...type.kind === 'enum' ? [] : type.interfaces ?? []];
  for (const other of typesOf(assembly)) if (above.includes(other.fqn) && !seen.has(other)) inheritedBy(assembly, other, seen);
  return seen;
}

function memberNames(assembly: Assembly, type: Type): string[] {
  return [...new Set([...inheritedBy(assembly, type)].flatMap((each) => membersOf(each).map(({ name }) => name)))];
}

/** One spelling for `maxAge`, `max_age`, `MaxAge` and `MAX_AGE`. */
const folded = (name: string): string => name.replaceAll('_', '').toLowerCase();

function same(names: readonly string[]): string[] {
  const spellings = new Map<string, string[]>();
  for (const name of names) spellings.set(folded(name), [...spellings.get(folded(name)) ?? [], name]);
  return [...spellings.values()].filter(({ length }) => length > 1).map((equal) => equal.sort().join(' and '));
}
