import { accessSync, constants, readFileSync } from 'fs';
import { join } from 'path';
import { parseAllDocuments } from 'yaml';
import { Delivery } from '../src';
import { find, Manifest, parse } from './support/manifests';
import { FILES, manifestsIn } from './support/output';
import { foldersOf, readPipeline, written } from './support/pipelines';
import { PIPELINES } from './support/repositories';
import { fileErrors, schemaErrors } from './support/schemas';

/*
 * The pipeline files for GitHub, GitLab, Argo CD and Flux. Each is valid for its tool, and matches the files that the program generates.
 */

const documents = (file: string): Manifest[] => parseAllDocuments(readFileSync(join(PIPELINES, file), 'utf8')).map((document) => {
  expect([...document.errors, ...document.warnings]).toEqual([]);
  return document.toJS();
});
const argoCd = [...documents('argocd/projects.yaml'), ...documents('argocd/applicationsets.yaml')];
const flux = { east: documents('flux/east.yaml'), west: documents('flux/west.yaml') };
const github = readPipeline('github/rendered.yml');
const gitlab = readPipeline('gitlab/.gitlab-ci.yml');
const script = readFileSync(join(PIPELINES, 'rendered.sh'), 'utf8');

/** Objects of a folder of the branch. */
function objectsIn(delivery: Delivery): Map<string, Manifest[]> {
  const objects = new Map<string, Manifest[]>(foldersOf(delivery).map((folder) => [folder, []]));
  for (const [path, text] of Object.entries(written(delivery))) objects.get(path.split('/').slice(0, 2).join('/'))!.push(...parse(text));
  return objects;
}

test('the schema of its tool accepts every file, and rejects it with an unknown field', () => {
  const files: [unknown, string][] = [[github, 'github-workflows'], [gitlab, 'gitlab-ci']];
  for (const [file, schema] of files) expect(fileErrors(file, schema)).toEqual([]);
  expect(fileErrors({ ...github, jobs: { render: { ...github.jobs.render, permision: {} } } }, 'github-workflows')).not.toEqual([]);
  expect(fileErrors({ ...gitlab, render: { ...gitlab.render, artefacts: {} } }, 'gitlab-ci')).not.toEqual([]);
  for (const object of [...argoCd, ...flux.east, ...flux.west]) {
    expect(schemaErrors(object)).toEqual([]);
    if (object.spec) expect(schemaErrors({ ...object, spec: { ...object.spec, prunes: true } })).not.toEqual([]);
  }
});

test('the script rendered.sh is executable', () => {
  expect(() => accessSync(join(PIPELINES, 'rendered.sh'), constants.X_OK)).not.toThrow();
});

describe('GitHub', () => {
  const jobs: [string, any][] = Object.entries(github.jobs);
  const steps: any[] = jobs.flatMap(([, job]) => job.steps);

  test('in GitHub Actions, only the publish job may write, and it runs only the script, for commits on main', () => {
    expect(github.permissions).toEqual({});
    expect(jobs.map(([name, { permissions }]) => [name, permissions])).toEqual([
      ['render', { contents: 'read' }], ['preview', { contents: 'read' }], ['publish', { contents: 'write' }],
    ]);
    expect(github.jobs.publish.if).toBe("github.event_name == 'push'");
    expect(github.on).toEqual({ push: { branches: ['main'] }, pull_request: { branches: ['main'] } });
    expect(github.jobs.publish.steps.map(({ run, uses }: any) => run ?? uses.split('@')[0])).toEqual([
      'actions/checkout', 'actions/download-artifact', './rendered.sh publish dist',
    ]);
  });

  test('in GitHub Actions, the job that runs the program has no token on its disk', () => {
    const [checkout] = github.jobs.render.steps;
    expect(checkout.with).toEqual({ 'persist-credentials': false });
  });

  test('in GitHub Actions, actions are pinned by commit, and no untrusted text is part of a command', () => {
    for (const { uses } of steps.filter((step) => step.uses)) expect(uses).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40}$/);
    for (const { run } of steps.filter((step) => step.run)) expect(run).not.toContain('${{');
    expect(JSON.stringify(github)).not.toMatch(/secrets|pull_request_target|workflow_run/);
    expect(github.defaults.run.shell).toBe('bash');
  });

  test('in GitHub Actions, runs of a branch do not overlap, and a running one is never cancelled', () => {
    expect(github.concurrency).toEqual({ group: 'rendered-${{ github.ref }}' });
  });
});

describe('GitLab', () => {
  test('in GitLab CI, only the script writes the branch, one run at a time, for commits on the default branch', () => {
    expect(gitlab.workflow.rules.map((rule: any) => rule.if)).toEqual([
      '$CI_PIPELINE_SOURCE == "merge_request_event"', '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH',
    ]);
    expect(gitlab.publish).toEqual({
      stage: 'rendered', rules: [{ if: '$CI_PIPELINE_SOURCE == "push"' }], resource_group: 'rendered', script: ['./rendered.sh publish dist'],
    });
    expect(gitlab.variables).toEqual({ SOURCE_BRANCH: '$CI_DEFAULT_BRANCH' });
  });

  test('in GitLab CI, no untrusted text is part of a command', () => {
    expect(['render', 'preview', 'publish'].flatMap((job) => gitlab[job].script).filter((line) => line.includes('$'))).toEqual([]);
  });
});

describe('Argo CD', () => {
  const sets = argoCd.filter(({ kind }) => kind === 'ApplicationSet');
  const objects = objectsIn(Delivery.argoCd());

  /** The Applications that the Git directory generator and the template of an ApplicationSet create. */
  function applicationsOf({ spec }: Manifest): Manifest[] {
    const [{ git: { directories } }] = spec.generators;
    const matches = (folder: string, excluded: boolean) => directories.some(({ path, exclude }: any) => Boolean(exclude) === excluded
      && new RegExp(`^${path.replaceAll('*', '[^/]*')}$`).test(folder));
    return [...objects.keys()].filter((folder) => matches(folder, false) && !matches(folder, true)).map((folder) => JSON.parse(
      JSON.stringify(spec.template)
        .replaceAll('{{ index .path.segments 0 }}', folder.split('/')[0])
        .replaceAll('{{ .path.basename }}', folder.split('/')[1])
        .replaceAll('{{ .path.path }}', folder)));
  }
  const applications = sets.flatMap(applicationsOf);
  const projectOf = (application: Manifest) => find(argoCd, 'AppProject', application.spec.project).spec;

  /** Whether an AppProject of Argo CD 3.5 permits an object: cluster-scoped by kind and name, namespaced by kind and destination. */
  function permitted(project: any, cluster: string, { apiVersion, kind, metadata }: Manifest): boolean {
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
    if (metadata.namespace === undefined) {
      return project.clusterResourceWhitelist.some((one: any) => one.group === group && one.kind === kind && one.name === metadata.name);
    }
    return project.namespaceResourceWhitelist.some((one: any) => one.group === group && one.kind === kind)
      && project.destinations.some((one: any) => one.name === cluster && one.namespace === metadata.namespace);
  }

  test('Argo CD creates one Application for each folder of the branch, in the cluster of its mesh', () => {
    expect(applications.map(({ metadata, spec }) => [metadata.name, spec.project, spec.source.path, spec.destination])).toEqual([
      ['east-boundary', 'federation-boundary', 'east/boundary', { name: 'east', namespace: 'istio-federation' }],
      ['west-boundary', 'federation-boundary', 'west/boundary', { name: 'west', namespace: 'istio-federation' }],
      ['west-bookinfo', 'federation-applications', 'west/bookinfo', { name: 'west', namespace: 'bookinfo' }],
    ]);
    expect(applications.map(({ spec }) => spec.source.path).sort()).toEqual([...objects.keys()]);
    expect(JSON.stringify(applications)).not.toContain('{{');
  });

  test('all ApplicationSets of Argo CD read the branch that the script writes, from a repository that their AppProjects allow', () => {
    expect(script).toContain('branch=${RENDERED_BRANCH:-rendered}');
    for (const { spec } of sets) {
      expect([spec.generators[0].git.revision, spec.template.spec.source.targetRevision]).toEqual(['rendered', 'rendered']);
      expect(projectOf(spec.template).sourceRepos).toEqual([spec.generators[0].git.repoURL]);
      expect(spec.template.spec.source.repoURL).toBe(spec.generators[0].git.repoURL);
      expect(spec.template.spec.source.directory).toEqual({ include: '*.k8s.yaml' });
    }
  });

  test('Argo CD prunes removed objects without PruneLast, including the last object of a folder', () => {
    for (const { spec } of applications) {
      expect(spec.syncPolicy.automated).toEqual({ prune: true, selfHeal: true, allowEmpty: true });
      expect(spec.syncPolicy.syncOptions).toEqual(['ServerSideApply=true']);
    }
    for (const { spec } of sets) expect(spec.syncPolicy).toBeUndefined(); // so Argo CD deletes an Application with its folder, and its objects with it
  });

  test('objects of a boundary have a sync wave for each phase, which is their order in an Argo CD Application', () => {
    const waves = objects.get('west/boundary')!.map(({ metadata }) => metadata.annotations?.['argocd.argoproj.io/sync-wave']);
    expect(new Set(waves).size).toBeGreaterThan(5);
    expect(waves).not.toContain(undefined);
  });

  test('each AppProject of Argo CD permits the objects of its folders', () => {
    for (const application of applications) {
      const cluster = application.spec.destination.name;
      expect(objects.get(application.spec.source.path)!.filter((object) => !permitted(projectOf(application), cluster, object))).toEqual([]);
      expect(projectOf(application).destinations).toContainEqual(application.spec.destination);
    }
  });

  test('the AppProject of applications denies every object of a boundary, in each cluster', () => {
    const project = find(argoCd, 'AppProject', 'federation-applications').spec;
    const boundaries = [...objects].filter(([folder]) => folder.endsWith('/boundary')).flatMap(([, inside]) => inside);
    expect(boundaries.length).toBeGreaterThan(30);
    for (const cluster of ['east', 'west']) expect(boundaries.filter((object) => permitted(project, cluster, object))).toEqual([]);
  });

  test('the AppProject of boundaries permits every kind of boundary object, except kinds that the page lists', () => {
    const kinds = FILES().flatMap(manifestsIn)
      .filter(({ metadata }) => metadata.namespace === 'istio-federation').map(({ kind }) => kind);
    const permittedKinds = find(argoCd, 'AppProject', 'federation-boundary').spec.namespaceResourceWhitelist.map(({ kind }: any) => kind);
    const missing = [...new Set(kinds)].filter((kind) => !permittedKinds.includes(kind)).sort();
    expect(missing).toEqual(['Certificate', 'Role', 'RoleBinding']);
    const page = readFileSync(join(__dirname, '..', 'docs', 'how-to', 'pipelines.md'), 'utf8');
    for (const kind of missing) expect(page).toContain(`\`${kind}\``);
  });
});

describe.each(['east', 'west'] as const)('Flux, mesh %s', (mesh) => {
  const objects = objectsIn(Delivery.flux());
  const folders = [...objects.keys()].filter((folder) => folder.startsWith(`${mesh}/`));
  const kustomizations = flux[mesh].filter(({ kind }) => kind === 'Kustomization');
  const byName = new Map(kustomizations.map(({ metadata, spec }) => [metadata.name.replace(/^federation-/, ''), spec]));

  test(`Flux has a Kustomization for each folder of mesh ${mesh}, including empty folders, and for no other folder`, () => {
    expect(kustomizations.map(({ spec }) => spec.path.replace(/^\.\//, '')).sort()).toEqual(folders);
    expect(folders).toContain(`${mesh}/boundary`);
    expect(objects.get(`${mesh}/boundary`)).toEqual([]);
  });

  test(`Flux applies protection, then pods, then listeners, then objects of applications in mesh ${mesh}`, () => {
    const before = (name: string) => (byName.get(name).dependsOn ?? []).map((one: any) => one.name.replace(/^federation-/, ''));
    expect([...byName.keys()].map((name) => [name, before(name)])).toEqual([
      ['protection', []], ['workload', ['protection']], ['openness', ['workload']], ['boundary', ['openness']],
      ...mesh === 'west' ? [['bookinfo', ['openness']]] : [],
    ]);
    for (const phase of ['protection', 'workload', 'openness']) expect(byName.get(phase).path).toContain(`-${phase}-`);
  });

  test(`each Kustomization of Flux for mesh ${mesh} waits until its objects are ready, and prunes`, () => {
    for (const { spec } of kustomizations) expect(spec).toMatchObject({ prune: true, wait: true, sourceRef: { kind: 'GitRepository', name: 'federation' } });
  });

  test(`Flux checks out only the folder of mesh ${mesh}, from the branch that the script writes`, () => {
    expect(find(flux[mesh], 'GitRepository', 'federation').spec).toMatchObject({ ref: { branch: 'rendered' }, sparseCheckout: [mesh] });
  });

  test(`Flux applies an application of mesh ${mesh} with an account that may write its kinds only in its namespace`, () => {
    const applications = folders.filter((folder) => !folder.includes('/boundary'));
    for (const folder of applications) {
      const account = byName.get(folder.split('/')[1]).serviceAccountName;
      const bindings = flux[mesh].filter(({ kind, subjects }) => kind === 'RoleBinding' && subjects.some(({ name }: any) => name === account));
      expect(bindings.map(({ metadata }) => metadata.namespace)).toEqual(['bookinfo']);
      const { rules } = find(flux[mesh], 'Role', bindings[0].roleRef.name);
      for (const { apiVersion, kind, metadata } of objects.get(folder)!) {
        const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
        expect([metadata.namespace, rules.filter(({ apiGroups, resources }: any) => apiGroups.includes(group) && resources.includes(`${kind.toLowerCase()}s`))])
          .toEqual(['bookinfo', [expect.objectContaining({ verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] })]]);
      }
    }
    expect(flux[mesh].filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
    expect(applications).toHaveLength(mesh === 'west' ? 1 : 0);
  });
});
