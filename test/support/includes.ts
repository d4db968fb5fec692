import { Yaml } from 'cdk8s';

/**
 * Reads each included file once in a test file. cdk8s starts a process of its own for every `Include`, since it may be given a URL.
 */
export function rememberIncludes(): void {
  const load = Yaml.load.bind(Yaml);
  const loaded = new Map<string, any[]>();
  Yaml.load = (file) => {
    if (!loaded.has(file)) loaded.set(file, load(file));
    return structuredClone(loaded.get(file)!);
  };
}
