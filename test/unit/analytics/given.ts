import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom } from '../../../src/core/random.js';

export const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** AR(1) noise of innovation variance 1; white for phi 0. */
export function givenNoise(n: number, { phi = 0, seed = 1 } = {}): Float64Array {
  const random = seededRandom(seed);
  let value = normal(random) / Math.sqrt(1 - phi * phi);
  return Float64Array.from({ length: n }, () => {
    const now = value;
    value = phi * value + normal(random);
    return now;
  });
}

/** Values one minute apart. */
export function givenSeries(v: ArrayLike<number>): { readonly t: number[]; readonly v: ArrayLike<number> } {
  return { t: Array.from(v, (_, i) => 1_700_000_000_000 + i * 60_000), v };
}

const fixtures = new URL('../../fixtures/analytics/', import.meta.url);

export function readFixture(path: string): string {
  return readFileSync(new URL(path, fixtures), 'utf8');
}

/** A series of the Numenta Anomaly Benchmark that is kept with the tests. */
export function givenNabSeries(name: string): { readonly t: number[]; readonly v: number[]; readonly window: number[] } {
  const rows = readFixture(`nab/${name}.csv`)
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(',').map(Number));
  return { t: rows.map((row) => row[0]! * 1_000), v: rows.map((row) => row[1]!), window: rows.map((row) => row[2]!) };
}

/** Data that may not be copied here; undefined where it does not lie beside the project. */
export function sharedFile(path: string): string | undefined {
  const full = fileURLToPath(new URL(`../../../../shared/data/analytics/${path}`, import.meta.url));
  return existsSync(full) ? readFileSync(full, 'utf8') : undefined;
}
