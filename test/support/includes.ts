import { Yaml } from 'cdk8s';

/**
 * Caches included files for all tests of a test file. cdk8s starts a separate process for every `Include`, because it may be a URL.
 */
export function rememberIncludes(): void {
  const load = Yaml.load.bind(Yaml);
  const loaded = new Map<string, any[]>();
  Yaml.load = (file) => {
    if (!loaded.has(file)) loaded.set(file, load(file));
    return structuredClone(loaded.get(file)!);
  };
}
