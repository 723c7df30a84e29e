import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * The matrix and the differential tests on the newest versions of the SDKs, in a folder of their own: says what an SDK has changed
 * before a bot meets it. Whatever comes out, it reports and does not fail; `npm run test:newest`.
 */
const SDKS: Readonly<Record<string, string>> = {
  ccxt: 'ccxt@latest',
  '@alpacahq/alpaca-trade-api': '@alpacahq/alpaca-trade-api@latest',
  'alpaca-v3': 'alpaca-v3@npm:@alpacahq/alpaca-trade-api@3',
  '@binance/connector': '@binance/connector@latest',
  '@binance/spot': '@binance/spot@latest',
  binance: 'binance@latest',
  'binance-api-node': 'binance-api-node@latest',
};
const TESTS = [
  'test/integration/sdk/matrix',
  'test/integration/sdk/ccxt-differential.test.ts',
  'test/integration/sdk/alpaca/differential.test.ts',
  'test/integration/sdk/binance/differential.test.ts',
];

const folder = join(tmpdir(), 'venuekit-newest-sdks');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'newest-sdks', private: true }));
process.stdout.write(`installing the newest of ${Object.keys(SDKS).join(', ')} into ${folder}\n`);
await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, ...Object.values(SDKS)]);

const report = join(folder, 'report.json');
const tests = spawn('npx', ['vitest', 'run', '--project', 'integration', '--reporter=json', `--outputFile=${report}`, ...TESTS], {
  env: { ...process.env, VENUEKIT_NEWEST_SDKS: folder, CI: 'true' },
  stdio: ['ignore', 'ignore', 'inherit'],
});
await once(tests, 'exit');

interface Report {
  readonly numPassedTests: number;
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string; readonly failureMessages: readonly string[] }[];
  }[];
}

const versionIn = async (root: string, name: string): Promise<string> =>
  (JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;

for (const name of Object.keys(SDKS))
  process.stdout.write(`${name}: newest ${await versionIn(folder, name)}, tested with ${await versionIn('.', name)}\n`);
const { numPassedTests, numTotalTests, testResults } = JSON.parse(await readFile(report, 'utf8')) as Report;
process.stdout.write(`${numPassedTests} of ${numTotalTests} tests hold on the newest versions\n`);
for (const { message, assertionResults } of testResults) {
  if (assertionResults.length === 0 && message !== '') process.stdout.write(`could not run: ${message}\n`);
  for (const { fullName, status, failureMessages } of assertionResults)
    if (status === 'failed') process.stdout.write(`- ${fullName}: ${failureMessages[0]?.split('\n')[0] ?? ''}\n`);
}
