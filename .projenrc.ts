import { cdk8s, github, javascript, release } from 'projen';

/** Folders with TypeScript other than the library and its tests. They are checked and linted like the tests. */
const DEV_FOLDERS = ['bench', 'examples', 'scripts'];

const project = new cdk8s.ConstructLibraryCdk8s({
  name: 'cdk8s-mesh-federation',
  description: 'cdk8s constructs that connect Istio service meshes which must stay apart',
  author: 'The cdk8s-mesh-federation authors',
  authorAddress: 'authors@cdk8s-mesh-federation.dev',
  authorOrganization: true,
  repositoryUrl: 'https://github.com/cdk8s-mesh-federation/cdk8s-mesh-federation.git',
  license: 'Apache-2.0',
  keywords: ['cdk8s', 'istio', 'service-mesh', 'federation', 'multi-mesh', 'mtls', 'zero-trust', 'compliance'],
  defaultReleaseBranch: 'main',
  projenrcTs: true,
  projenVersion: '0.103.25',
  packageManager: javascript.NodePackageManager.NPM,
  minNodeVersion: '20.16.0',
  cdk8sVersion: '2.70.106',
  constructsVersion: '10.8.1',
  jsiiVersion: '~6.0.0',
  typescriptVersion: '~6.0.0', // jsii, ts-jest and typescript-eslint stop at 6
  peerDeps: ['cdk8s-plus-27@^2.9.5'],
  devDeps: [
    '@marcbachmann/cel-js@^8',
    '@peculiar/x509@^2',
    'ajv@^8',
    'ajv-formats@^3',
    'cdk8s-cli@^2.207.60',
    'cli-table3@^0.6.5',
    'eslint-plugin-jest@^29',
    'fast-check@^4',
    'reflect-metadata@^0.2',
    'yaml@^2.9.1',
  ],
  // A release is started by hand, and uses a secret only if a registry requires one: docs/how-to/release.md.
  githubOptions: { mergify: false, pullRequestLint: false },
  pullRequestTemplate: false,
  buildWorkflow: false,
  workflowNodeVersion: '24.x', // trusted publishing needs npm 11.5
  releaseTrigger: release.ReleaseTrigger.workflowDispatch(),
  releaseEnvironment: 'release',
  releaseToNpm: true,
  npmTrustedPublishing: true,
  jsiiReleaseVersion: '0.2.1061', // publib, which publishes
  bumpPackage: 'commit-and-tag-version@^12', // 13 requires Node 22: `npm ci` with Node 20 would print a warning
  depsUpgrade: false,
  sampleCode: false,
  typecheckTests: true,

  // imports/ is next to src/, so the compiled library is lib/src and lib/imports.
  entrypoint: 'lib/src/index.js',
  tsconfig: {
    // No source maps: they would be two thirds of the package, and errors have codes.
    compilerOptions: { rootDir: '.', outDir: 'lib', inlineSourceMap: false, inlineSources: false },
    include: ['src/**/*.ts', 'imports/**/*.ts'],
  },
  tsconfigDev: {
    // The CEL library is an ES module; Node 20 and the compiler allow CommonJS to require it.
    compilerOptions: { module: 'node20' },
    include: DEV_FOLDERS.map((folder) => `../${folder}/**/*.ts`),
  },

  jestOptions: {
    jestVersion: '^30',
    junitReporting: false,
    updateSnapshot: javascript.UpdateSnapshot.NEVER,
    coverageText: false,
    preserveDefaultReporters: false,
    jestConfig: {
      coveragePathIgnorePatterns: ['/node_modules/', '/imports/', '/test/', '/examples/', '/scripts/'],
      maxWorkers: '100%',
      randomize: true, // prints its seed: `npx jest --seed=<seed>` runs in that order again
      reporters: ['<rootDir>/test/support/reporter.js', 'summary'].map((name) => new javascript.JestReporter(name)),
      collectCoverage: false,
      testPathIgnorePatterns: ['/node_modules/', '/lib/', '/dist/'],
      modulePathIgnorePatterns: ['<rootDir>/lib/', '<rootDir>/dist/'],
      moduleNameMapper: { '^cdk8s-mesh-federation$': '<rootDir>/src' },
    },
  },

  eslintOptions: {
    dirs: ['src'],
    devdirs: ['test', ...DEV_FOLDERS],
    fileExtensions: ['.ts'],
    commandOptions: { fix: false }, // tests must not change files; use `npx projen eslint:fix`
  },

  publishToPypi: { distName: 'cdk8s-mesh-federation', module: 'cdk8s_mesh_federation', trustedPublishing: true },
  publishToMaven: {
    javaPackage: 'dev.cdk8smeshfederation',
    mavenGroupId: 'dev.cdk8s-mesh-federation',
    mavenArtifactId: 'cdk8s-mesh-federation',
    mavenServerId: 'central-ossrh',
  },
  publishToNuget: { dotNetNamespace: 'Cdk8sMeshFederation', packageId: 'Cdk8sMeshFederation', trustedPublishing: true },
  publishToGo: { moduleName: 'github.com/cdk8s-mesh-federation/cdk8s-mesh-federation-go', githubUseSsh: true },
});

// With rootDir '.', the declarations follow the entry point.
project.package.addField('types', 'lib/src/index.d.ts');
// Some registries provide 1.13.0 without its bindings for other platforms, and `npm ci` then rejects the lock file.
project.package.addPackageResolutions('unrs-resolver@1.12.2');
// npm 11 prints a warning for install scripts without a decision. These three only look for installed binaries, or print a hint.
project.package.addField('allowScripts', { '@parcel/watcher': false, 'backport': false, 'unrs-resolver': false });
project.npmignore?.exclude(...['api', 'imports', 'rosetta', 'crds', 'docs', 'lab', 'test', '.ci', ...DEV_FOLDERS].map((folder) => `/${folder}/`), '/cdk8s.yaml', '/.jest-results.json', '/API.md', '/ARCHITECTURE.md', '/CONTRIBUTING.md');
project.gitignore.exclude('.DS_Store', '/.jsii.tabl.json', '/.jest-results.json');
// Output of `cdk8s synth` in the examples.
project.gitignore.exclude('/examples/languages/*/dist/', '/examples/languages/java/target/', '__pycache__/');

for (const folder of DEV_FOLDERS) {
  new javascript.TypescriptConfig(project, {
    fileName: `${folder}/tsconfig.json`,
    extends: javascript.TypescriptConfigExtends.fromPaths(['../tsconfig.json']),
    compilerOptions: { noEmit: true, rootDir: '..' },
    include: ['**/*.ts'],
  });
}

// ---- lint: rules beyond jsii ----------------------------------------------------------------------------------
project.eslint?.addIgnorePattern('imports/');
/** The rooms of src/, lowest first. Each may import those before it, types included. ARCHITECTURE.md has a diagram. */
const ROOMS = ['model', 'checks', 'pki', 'render', 'boundary', 'analysis'];
const room = (name: string) => `./src/${name}`;
project.eslint?.addRules({
  'import/no-restricted-paths': ['error', {
    zones: [
      ...ROOMS.map((name, place) => ({
        target: room(name),
        from: [...ROOMS.slice(place + 1), 'output'].map(room),
        message: `src/${name} may import ${ROOMS.slice(0, place).map((lower) => `src/${lower}`).join(', ') || 'no other room'}.`,
      })),
      { target: './src/*.ts', from: room('render'), message: 'src/boundary creates the objects of public nouns: they may not import src/render.' },
      // Two zones, since one must not mix folders and patterns.
      ...[ROOMS.map(room), './src/*.ts'].map((from) => ({
        target: room('output'), from, message: 'src/output writes any app: it may import no other room and no noun.',
      })),
      {
        target: ['./src/*.ts', ...[...ROOMS, 'output'].filter((name) => name !== 'render').map(room)],
        from: './imports',
        message: 'Only src/render may import the generated types of Istio.',
      },
    ],
  }],
  'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
});
project.eslint?.addPlugins('jest');
project.eslint?.addOverride({
  files: ['test/**/*.ts'],
  rules: {
    'max-lines': 'off',
    'jest/expect-expect': ['error', { assertFunctionNames: ['expect*', 'fc.assert'] }],
    'jest/no-disabled-tests': 'error',
    'jest/no-focused-tests': 'error',
    'jest/no-identical-title': 'error',
    'jest/valid-expect': 'error',
  },
});

// ---- tasks -----------------------------------------------------------------------------------------------------------
const tsNode = (program: string, folder: string) => `ts-node --transpile-only --project ${folder}/tsconfig.json ${program}`;
project.addTask('vendor', {
  description: 'Fetches third-party schemas (requires Go and pip)',
  exec: tsNode('scripts/vendor.ts', 'scripts'),
});
project.addTask('imports', {
  description: 'Generates imports/ from the vendored CRDs, offline',
  steps: ['istio-1.31', 'cert-manager-1.21'].map((file) =>
    ({ exec: `cdk8s import crds/${file}.yaml --language typescript --output imports --no-save --no-check-upgrade` })),
});
project.addTask('demo', {
  description: 'Writes the Bookinfo federation into dist/ and explains it',
  exec: tsNode('examples/bookinfo/demo.ts', 'examples'),
});
project.addTask('demo:trust', {
  description: 'Generates new public root certificates for the demo and the tests; their keys are not stored',
  exec: tsNode('scripts/demo-trust.ts', 'scripts'),
});
project.addTask('golden:update', {
  description: 'Updates the golden manifests of test/scenarios. Review the diff like code',
  exec: tsNode('scripts/golden.ts', 'scripts'),
});
// The compiler and the linter each use one processor; the tests use both.
project.testTask.reset();
project.testTask.exec('sh -c \'tsc --noEmit -p test/tsconfig.json & types=$!; projen eslint; lint=$?; wait $types && exit $lint\'', { name: 'types and lint' });
project.testTask.exec('jest --ci', { receiveArgs: true });
project.addTask('eslint:fix', {
  description: 'Corrects what eslint can correct',
  steps: [{ spawn: project.eslint!.eslintTask.name, args: ['--fix'] }],
});
project.addTask('mutants', {
  description: 'Changes the library in one place at a time and counts the changes that a test detects. CONTRIBUTING.md',
  exec: tsNode('scripts/mutants.ts', 'scripts'),
  receiveArgs: true,
});
// projen's own task would compare with the last release in the registry, where no release exists yet.
project.tasks.tryFind('compat')!.reset(tsNode('scripts/api.ts', 'scripts'));
project.tasks.tryFind('compat')!.description = 'Prints the breaking changes of the compiled public API against api/assembly.json';
project.addTask('api:update', {
  description: 'Stores the compiled public API in api/assembly.json. Review the diff like code',
  exec: tsNode('scripts/api.ts update', 'scripts'),
});
project.postCompileTask.spawn(project.addTask('snippets', {
  description: 'Translates the examples of README, docs and doc comments into the other languages, strictly',
  exec: tsNode('scripts/snippets.ts', 'scripts'),
}));
project.addTask('lab', {
  description: 'Applies the output to real clusters and real proxies, and attacks it (Linux, root, Go). lab/README.md',
  steps: [
    { exec: 'CGO_ENABLED=0 go build -C lab -ldflags "-s -w" -o bin/ . ./app' },
    { exec: 'lab/bin/lab', receiveArgs: true },
  ],
});
project.addTask('languages', {
  description: 'Packs for Python, Java and Go, runs the demo in each, and compares the output and the errors',
  steps: [
    { spawn: 'compile' },
    { exec: tsNode('scripts/languages.ts', 'scripts'), receiveArgs: true },
  ],
});
project.addTask('bench', {
  description: 'Measures synthesis: synth, growth, helm. docs/performance.md',
  exec: tsNode('bench/main.ts', 'bench'),
  receiveArgs: true,
});
project.addTask('consumers', {
  description: 'Installs the packages outside of the checkout and uses them as a user would',
  exec: tsNode('scripts/consumers.ts', 'scripts'),
});
project.addTask('nodes', {
  description: 'Runs the tests that depend most on Node with the other supported versions of Node',
  exec: tsNode('scripts/nodes.ts', 'scripts'),
});
project.addTask('package:code', {
  description: 'Generates the bindings of the other languages, without their toolchains',
  exec: 'jsii-pacmak --code-only --target python --target java --target dotnet --target go --outdir dist/code',
});

// The CEL library is an ES module, which jest does not load on Node 20.
Object.assign(project.jest!.config, {
  transformIgnorePatterns: ['/node_modules/(?!@marcbachmann/cel-js/)'],
  transform: {
    ...project.jest!.config.transform,
    '/@marcbachmann/cel-js/.+\\.js$': ['ts-jest', { tsconfig: { allowJs: true, module: 'commonjs', target: 'es2022' }, diagnostics: false }],
  },
});
// Names that another language would change are errors.
project.compileTask.reset('jsii --fail-on-warnings', { env: { JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' } });
// jsii does not remove `@internal` members from the declarations, so editors would suggest them.
project.compileTask.exec('tsc --project tsconfig.json --emitDeclarationOnly --stripInternal');
// `build` packs for npm. The other languages require their toolchains: `npx projen package-all`.
project.packageTask.reset();
project.packageTask.spawn(project.tasks.tryFind('package:js')!);

// ---- workflows -------------------------------------------------------------------------------------------------------
// projen's own build workflow would only build. This one runs `.ci/run` on the oldest Node and on the one that publishes.
const checks = new github.GithubWorkflow(project.github!, 'build');
checks.on({ pullRequest: {}, push: { branches: ['main'] }, workflowCall: {}, workflowDispatch: {} });
checks.addJob('build', {
  name: 'Everything, on Node ${{ matrix.node }}',
  runsOn: ['ubuntu-latest'],
  timeoutMinutes: 120,
  permissions: { contents: github.workflows.JobPermission.READ },
  strategy: { failFast: false, matrix: { domain: { node: ['20.x', '24.x'] } } },
  steps: [
    github.WorkflowSteps.checkout({ with: { fetchDepth: 0 } }),
    { name: 'Node', uses: github.ActionRefs.ACTIONS_SETUP_NODE, with: { 'node-version': '${{ matrix.node }}', 'package-manager-cache': false } },
    { name: 'Go', uses: github.ActionRefs.ACTIONS_SETUP_GO, with: { 'go-version-file': 'lab/go.mod', 'cache': false } },
    // The lab requires root, and the tools that the two previous steps have installed.
    { name: 'Everything', run: 'sudo --preserve-env env "PATH=$PATH" .ci/run' },
  ],
});
const releases = project.tryFindObjectFile('.github/workflows/release.yml')!;
releases.addOverride('jobs.checks', { uses: './.github/workflows/build.yml', permissions: { contents: 'read' } });
releases.addOverride('jobs.release.needs', ['checks']);
releases.addOverride('jobs.release.permissions', { contents: 'read' }); // the tag is set by the last job
// The default of publib is the address of the registry.
releases.addDeletionOverride('jobs.release_npm.steps.9.env.NPM_REGISTRY');
// This staging profile belongs to a service that Maven Central has shut down.
releases.addDeletionOverride('jobs.release_maven.steps.10.env.MAVEN_STAGING_PROFILE_ID');

project.synth();
