/**
 * The documentation pages of the repository.
 */
import { readdirSync } from 'fs';
import { join } from 'path';

const root = join(__dirname, '..', '..');

/** Paths from the root of the repository. */
export const pages = [
  'README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'crds/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md')).map((file) => join('docs', file)),
];
