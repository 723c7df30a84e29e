import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificationReport } from '../../src/certification/index.js';

const root = resolve(import.meta.dirname, '../..');
let folder = '';
beforeAll(() => {
  if (!existsSync(join(root, 'dist/cli.js'))) throw new Error('dist/ is missing: run `npm run build` first');
  folder = mkdtempSync(join(tmpdir(), 'venuekit-certify-dist-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const venuekit = (...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> =>
  new Promise((done) => {
    execFile(process.execPath, [join(root, 'dist/cli.js'), ...args], { encoding: 'utf8' }, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });

describe('venuekit certify, as it is published', () => {
  it('kills real processes, prints JSON alone, and typesets the PDF', async () => {
    const pdf = join(folder, 'certification.pdf');
    const { code, out, err } = await venuekit('certify', '--only', 'component.parts,production.durability', '--json', '--pdf', pdf);
    const report = JSON.parse(out) as CertificationReport;
    const checks = report.categories.flatMap((category) => category.checks);
    expect(checks.map(({ id, passed, measured }) => `${id} ${passed ? 'passed' : measured}`)).toEqual(['component.parts passed', 'production.durability passed']);
    expect(checks[1]?.measured).toMatch(/[1-9]\d* acknowledged intents over 3 kills/);
    expect(err).toContain('2 of 2 checks: production.durability');
    expect(readFileSync(pdf).subarray(0, 5).toString()).toBe('%PDF-');
    expect(code).toBe(0);
  });
});
