/**
 * Translates every TypeScript example of the README, the pages of docs/ and the doc comments into the other languages, as package sites do.
 * Fails if an example does not compile or cannot be translated. Writes `.jsii.tabl.json`, which provides the examples of the bindings.
 *
 *     npx projen compile && npx projen snippets
 */
import { spawnSync } from 'child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

const root = join(__dirname, '..');

interface Translated {
  /** The output of jsii-rosetta when an example cannot be translated. */
  readonly complaints: string;
  /** The examples in each language, in the order of the pages. */
  readonly translations: Record<string, string[]>;
  /** The examples of the README and the doc comments, in the format that generators of bindings read. */
  readonly tablet: string;
}

/** Translates the examples of an assembly and of pages. */
export function translate(assembly: object, pages: Readonly<Record<string, string>>): Translated {
  const directory = mkdtempSync(join(tmpdir(), 'snippets-'));
  try {
    mkdirSync(join(directory, 'node_modules'));
    for (const name of readdirSync(join(root, 'node_modules'))) symlinkSync(join(root, 'node_modules', name), join(directory, 'node_modules', name));
    symlinkSync(root, join(directory, 'node_modules/cdk8s-mesh-federation'));
    symlinkSync(join(root, 'rosetta'), join(directory, 'rosetta'));
    // jsii-rosetta only reads assemblies, so each page is the README of an otherwise empty submodule.
    const submodules = Object.fromEntries(Object.entries(pages).map(([page, markdown]) => [`cdk8s-mesh-federation.${page}`, { readme: { markdown } }]));
    writeFileSync(join(directory, '.jsii'), JSON.stringify({ ...assembly, submodules }));
    writeFileSync(join(directory, 'package.json'), readFileSync(join(root, 'package.json')));
    const { status, stdout, stderr } = spawnSync(process.execPath, [
      join(root, 'node_modules/jsii-rosetta/bin/jsii-rosetta'), 'extract', '--strict', '--batch', '--directory', directory, directory,
    ], { cwd: directory, encoding: 'utf8', env: { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' } });
    if (status !== 0) return { complaints: `${stdout}${stderr}`, translations: {}, tablet: '' };
    const tablet = JSON.parse(readFileSync(join(directory, '.jsii.tabl.json'), 'utf8'));
    const translations: Record<string, string[]> = {};
    for (const snippet of Object.values<any>(tablet.snippets)) {
      for (const [language, { source }] of Object.entries<any>(snippet.translations)) {
        if (language !== '$' && source.trim() !== '') (translations[language] ??= []).push(source);
      }
    }
    const own = Object.entries<any>(tablet.snippets).filter(([, { location }]) => !(location.api.moduleFqn in submodules));
    return { complaints: '', translations, tablet: JSON.stringify({ ...tablet, snippets: Object.fromEntries(own) }) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (require.main === module) {
  const names = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).sort();
  const pages = Object.fromEntries(names.map((name) => [`docs/${name}`, readFileSync(join(root, 'docs', name), 'utf8')]));
  const { complaints, translations, tablet } = translate(JSON.parse(readFileSync(join(root, '.jsii'), 'utf8')), pages);
  if (complaints !== '') {
    console.error(complaints);
    process.exitCode = 1;
  } else {
    writeFileSync(join(root, '.jsii.tabl.json'), tablet);
    console.log(Object.entries(translations).map(([language, sources]) => `${language}: ${sources.length} examples`).join('\n'));
  }
}
