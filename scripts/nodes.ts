/**
 * Runs the tests that depend most on Node with other versions than the one that runs everything else: the bytes of all golden manifests,
 * X.509 and JWK parsing, and the writing of files. The last line is `N passed, N failed`.
 *
 *     npx projen nodes
 */
import { spawnSync } from 'child_process';
import { mkdtempSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

/** Major versions of Node that a user may run, besides the oldest one, which `.ci/run` uses. docs/versions.md */
export const NODES = ['22', '24', '26'];

const SUITES = ['golden', 'trust.test', 'jwt.test', 'manifest-writer'];
const root = join(__dirname, '..');

/** Installs the newest Node of a major version from npm, and returns the directory of the program. */
export function installNode(major: string, directory: string): string {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const prefix = join(directory, `node-${major}`);
  const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', prefix, `${name}@${major}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm cannot install ${name}@${major}: ${stderr}`);
  return join(prefix, 'node_modules', name, 'bin');
}

if (require.main === module) {
  const directory = mkdtempSync(join(tmpdir(), 'nodes-'));
  let [passed, failed] = [0, 0];
  try {
    for (const major of NODES) {
      const results = join(directory, `${major}.json`);
      const jest = [join(root, 'node_modules/jest/bin/jest.js'), '--ci', '--json', '--outputFile', results, ...SUITES];
      const { status, stdout, stderr } = spawnSync(join(installNode(major, directory), 'node'), jest, { cwd: root, encoding: 'utf8' });
      if (status !== 0) console.log(`${stdout}${stderr}`);
      const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(results, 'utf8'));
      passed += numPassedTests;
      failed += numTotalTests - numPassedTests + (status === 0 || numPassedTests < numTotalTests ? 0 : 1);
      console.log(`${status === 0 ? 'ok     ' : 'FAILED '} Node ${major}: ${numPassedTests} of ${numTotalTests} tests`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
