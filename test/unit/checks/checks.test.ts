import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

/**
 * A check that can't fail is none: each is run on a small copy of the house into which violations
 * were built, a file for each, and on a copy without them.
 */
const root = resolve(import.meta.dirname, '../../..');
const folders: string[] = [];

const givenAHouse = (files: Record<string, string>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-checks-'));
  folders.push(folder);
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.src.json', 'eslint.config.js', '.dependency-cruiser.cjs'])
    cpSync(join(root, file), join(folder, file));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
};

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const run = (folder: string, tool: string, ...args: string[]): { ok: boolean; output: string } => {
  try {
    return {
      ok: true,
      output: execFileSync(process.execPath, [join(root, 'node_modules', tool), ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }),
    };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { ok: false, output: stdout + stderr };
  }
};
const rooms = (folder: string) => run(folder, 'dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', 'src');
const lint = (folder: string) => run(folder, 'eslint/bin/eslint.js', '--max-warnings', '0', 'src');
const types = (folder: string) => run(folder, 'typescript/bin/tsc', '-p', 'tsconfig.src.json', '--pretty', 'false');

const CLOCK = 'export const origin: number = 0;\n';

describe('the check of rooms', () => {
  it('lets a room import what the table allows', () => {
    const house = givenAHouse({
      'src/core/clock.ts': CLOCK,
      'src/pool/pool.ts': "import { origin } from '../core/clock.js';\nexport const pool: number = origin;\n",
    });
    expect(rooms(house)).toMatchObject({ ok: true });
  });

  /** Each a file that breaks one rule; all stand in one house, so that one run shows each fire, in its own file. */
  const violations: [what: string, rule: string, file: string, text: string][] = [
    ['a sibling room', 'room-pool', 'src/pool/pool.ts', "import { origin } from '../trading/order.js';\nexport const pool: number = origin;\n"],
    [
      'a sibling room for a type only',
      'room-market-data',
      'src/market-data/cache.ts',
      "import type { Order } from '../trading/order.js';\nexport const order: Order = '';\n",
    ],
    [
      'anything from core',
      'room-core',
      'src/core/clock.ts',
      "import { origin } from '../contracts/calls.js';\nexport const clock: number = origin;\n",
    ],
    ['a Node built-in from core', 'core-runs-anywhere', 'src/core/path.ts', "import { sep } from 'node:path';\nexport const path: string = sep;\n"],
    ['in a circle', 'no-cycles', 'src/core/a.ts', "import { b } from './b.js';\nexport const a: number = b;\n"],
    ['a development package', 'no-development-packages', 'src/pool/peer.ts', "import tarn from 'tarn';\nexport const peer: unknown = tarn;\n"],
    [
      'an optional peer before it is needed',
      'peers-are-loaded-late',
      'src/stores/sqlite/driver.ts',
      "import sqlite from '@photostructure/sqlite';\nexport const driver: unknown = sqlite;\n",
    ],
    ['another engine', 'stores-apart', 'src/stores/sqlite/b.ts', "import { origin } from '../redis/a.js';\nexport const b: number = origin;\n"],
  ];
  let result: ReturnType<typeof rooms>;
  beforeAll(() => {
    result = rooms(
      givenAHouse({
        'src/trading/order.ts': `${CLOCK}export type Order = string;\n`,
        'src/contracts/calls.ts': CLOCK,
        'src/core/b.ts': "import { a } from './a.js';\nexport const b: number = a;\n",
        'src/stores/redis/a.ts': CLOCK,
        ...Object.fromEntries(violations.map(([, , file, text]) => [file, text])),
      }),
    );
  });

  it.each(violations)('fires on an import of %s', (_, rule, file) => {
    expect(result.ok).toBe(false);
    expect(result.output).toMatch(new RegExp(`error ${rule}: ${file} `));
  });
});

describe('the ban on raw time and randomness', () => {
  const ways = [
    'Date.now()',
    'performance.now()',
    'Math.random()',
    'new Date().getTime()',
    'Number(setTimeout(() => undefined, 5))',
    'Number(setInterval(() => undefined, 5))',
    'Number(AbortSignal.timeout(5).aborted)',
    'globalThis.performance.now()',
    'process.hrtime()[0]',
  ];
  /** What the lint says of one file: its lines of output below the file's name. */
  const said = (output: string, file: string): string => output.split(/\n(?=\S)/).find((block) => block.split('\n', 1)[0]?.endsWith(file)) ?? '';

  it('fires on every way to read time or chance past the Clock and the Random, and on an import of timers, but not in core/clock.ts', () => {
    const { ok, output } = lint(
      givenAHouse({
        'src/core/clock.ts': 'export const now = (): number => Date.now();\n',
        'src/pool/pool.ts': ways.map((way, line) => `export const way${line} = (): number => ${way};\n`).join(''),
        'src/pool/nap.ts': "import { setTimeout as sleep } from 'node:timers/promises';\n\nexport const nap = (): Promise<void> => sleep(5);\n",
      }),
    );
    expect(ok).toBe(false);
    ways.forEach((way, index) => {
      expect(said(output, 'pool/pool.ts'), way).toMatch(new RegExp(`^\\s*${index + 1}:\\d+\\s+error.*injected (?:Clock|Random)`, 'm'));
    });
    expect(said(output, 'pool/nap.ts')).toContain('injected Clock');
    expect(said(output, 'core/clock.ts')).toBe('');
  });

  it('lets core/clock.ts read the time, and everyone take a Clock', () => {
    const house = givenAHouse({ 'src/core/clock.ts': 'export const now = (): number => Date.now();\n' });
    expect(lint(house)).toMatchObject({ ok: true });
  });
});

describe('the check of types', () => {
  const faults: [what: string, file: string, text: string][] = [
    ['an unchecked index', 'index', 'export const first = (list: readonly string[]): string => list[0];\n'],
    ['undefined for an optional property', 'optional', 'export const made: { at?: number } = { at: undefined };\n'],
    ['an enum, which does not erase', 'enum', 'export enum Side { Buy }\n'],
    ['a type imported as a value', 'import', "import { Heap } from './heap.js';\nexport const heap: Heap | undefined = undefined;\n"],
  ];
  const heap = { 'src/core/heap.ts': 'export interface Heap { readonly size: number }\n' };
  let result: ReturnType<typeof types>;
  beforeAll(() => {
    result = types(givenAHouse({ ...heap, ...Object.fromEntries(faults.map(([, file, text]) => [`src/core/${file}.ts`, text])) }));
  });

  it('passes what has none of these', () => {
    expect(types(givenAHouse(heap))).toMatchObject({ ok: true });
  });

  it.each(faults)('fires on %s', (_, file) => {
    expect(result.ok).toBe(false);
    expect(result.output).toMatch(new RegExp(`^src/core/${file}\\.ts.*error TS`, 'm'));
  });

  it('fires on an exported value whose type must be inferred', () => {
    // Alone: tsc looks at declarations once all else is right.
    const { output } = types(givenAHouse({ 'src/core/inferred.ts': 'export const made = [1, 2].map((n) => ({ n }));\n' }));
    expect(output).toMatch(/^src\/core\/inferred\.ts.*error TS9/m);
  });
});
