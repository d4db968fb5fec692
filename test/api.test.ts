import { breaks, surfaceOf } from '../scripts/api';
import { translate } from '../scripts/snippets';

/*
 * The programs that compare the public API with its last version, and that translate its examples into other languages.
 */

/** An assembly with one class, that has one method. */
function assemblyWith(method: object, more: object = {}): object {
  const fqn = 'cdk8s-mesh-federation.Box';
  return {
    schema: 'jsii/0.10.0',
    name: 'cdk8s-mesh-federation',
    version: '0.0.0',
    jsiiVersion: '6.0.0',
    fingerprint: '*',
    author: { name: 'we', roles: ['author'] },
    license: 'Apache-2.0',
    description: '',
    homepage: '',
    repository: { type: 'git', url: '' },
    types: {
      [fqn]: {
        assembly: 'cdk8s-mesh-federation', fqn, kind: 'class', name: 'Box', initializer: {}, methods: [{ name: 'open', ...method }], ...more,
      },
    },
  };
}

const limit = { name: 'limit', type: { primitive: 'number' } };

describe('changes of the public API', () => {
  const before = assemblyWith({ parameters: [limit] });

  test.each<[string, object, string[]]>([
    ['reports no break for an unchanged assembly', before, []],
    ['reports no break for an added optional parameter and an added property', assemblyWith({ parameters: [limit, { name: 'more', optional: true, type: { primitive: 'string' } }] }, { properties: [{ name: 'size', immutable: true, type: { primitive: 'number' } }] }), []],
    ['reports no break for an added comment', assemblyWith({ parameters: [limit], docs: { summary: 'Opens.' } }), []],
    ['reports the removal of a class', { ...before, types: {} }, ['CLASS Box: has been removed']],
    ['reports a renamed method as removed', assemblyWith({ name: 'unlock', parameters: [limit] }), ['METHOD Box.open: has been removed']],
    ['reports a changed parameter type', assemblyWith({ parameters: [{ ...limit, type: { primitive: 'string' } }] }), [expect.stringContaining('METHOD Box.open')]],
    ['reports a newly required parameter', assemblyWith({ parameters: [limit, { name: 'more', type: { primitive: 'string' } }] }), [expect.stringContaining('newly required argument')]],
  ])('the API comparison %s', (_, after, expected) => {
    expect(breaks(before, after)).toEqual(expected);
  });

  test('the API comparison throws when it cannot read an assembly', () => {
    expect(() => breaks(before, { ...assemblyWith({}, { base: 'elsewhere.Thing' }) })).toThrow(/jsii-diff failed/);
  });

  test('a comment and a source location do not change the API file, and a changed member does', () => {
    expect(surfaceOf(assemblyWith({ docs: { summary: 'Opens.' }, locationInModule: { filename: 'src/a.ts', line: 1 } }))).toEqual(surfaceOf(assemblyWith({})));
    expect(surfaceOf(assemblyWith({ static: true }))).not.toEqual(surfaceOf(assemblyWith({})));
  });
});

describe('the translation of examples', () => {
  jest.setTimeout(60_000);
  const page = (text: string) => `# Page\n\n\`\`\`ts\n${text}\n\`\`\`\n`;

  test('an example is translated into Python, Java, C# and Go', () => {
    const { complaints, translations, tablet } = translate(assemblyWith({}), { 'docs/page.md': page('import { App } from \'cdk8s\';\n\nconst app = new App();\napp.synth();') });
    expect(complaints).toBe('');
    expect(Object.keys(translations).sort()).toEqual(['csharp', 'go', 'java', 'python']);
    expect(translations.python).toEqual(['from cdk8s import App\n\napp = App()\napp.synth()']);
    expect(JSON.parse(tablet).snippets).toEqual({}); // it is not an example of the assembly itself
  });

  test('the translation reports an example that does not compile and one that cannot be translated', () => {
    const { complaints } = translate(assemblyWith({}), {
      'docs/wrong.md': page('import { App } from \'cdk8s\';\n\nnew App({ folder: \'dist\' });'),
      'docs/untranslatable.md': page('import { App, AppProps } from \'cdk8s\';\n\nconst ours: AppProps = { outdir: \'dist\' };\nnew App({ ...ours });'),
    });
    expect(complaints).toMatch(/wrong\.md.*'folder' does not exist/);
    expect(complaints).toMatch(/untranslatable\.md.*SpreadAssignment/);
  });
});
