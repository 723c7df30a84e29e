import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Runs .ci/run with an npm that notes what it is asked for, and fails at one of it. */
function ciRun(failing?: string): { readonly status: number | null; readonly output: string; readonly asked: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-ci-'));
  folders.push(folder);
  mkdirSync(join(folder, '.ci'));
  mkdirSync(join(folder, 'bin'));
  cpSync(join(root, '.ci/run'), join(folder, '.ci/run'));
  const asked = join(folder, 'asked');
  writeFileSync(join(folder, 'bin/npm'), `#!/bin/sh\necho "$*" >> ${asked}\necho "npm $* says this"\n[ "$*" != "${failing ?? ''}" ]\n`);
  chmodSync(join(folder, 'bin/npm'), 0o755);
  const { status, stdout } = spawnSync('bash', [join(folder, '.ci/run')], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}` },
  });
  return { status, output: stdout, asked: readFileSync(asked, 'utf8').trim().split('\n').sort() };
}

const ALL = ['ci', 'run check', 'run check:api', 'run check:package', 'run check:unused', 'run test:runtimes', 'test'];

describe('what CI runs', () => {
  it('asks for every check once, and shows what each of them printed', () => {
    const { status, output, asked } = ciRun();
    expect(status).toBe(0);
    expect(asked).toEqual(ALL);
    for (const one of ALL) expect(output.split(`npm ${one} says this\n`), one).toHaveLength(2);
    expect(output).toMatch(/── done \(\d+ s\)\n$/);
  });

  it.each(ALL.slice(1))('fails when `npm %s` does, after all the others, and says so', (failing) => {
    const { status, output, asked } = ciRun(failing);
    expect(status).toBe(1);
    expect(asked).toEqual(ALL);
    expect(output).toMatch(new RegExp(`── FAILED: (npm )?${failing.replace(/^run /, '')} \\(\\d+ s\\)\\n$`));
  });

  it('tries nothing where the install fails', () => expect(ciRun('ci')).toMatchObject({ status: 1, asked: ['ci'] }));
});
