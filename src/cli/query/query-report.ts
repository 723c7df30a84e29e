import type { CompiledQuery, QueryResult, QuerySeries } from '../../query/index.js';
import { ColumnWriter } from '../column-writer.js';
import type { Terminal } from '../terminal.js';

/** What was asked for: from, to, and every `stepMs` between; without it, `to` alone. */
export interface QueryRange {
  readonly from: number;
  readonly to: number;
  readonly stepMs: number | undefined;
}

const WIDTH = 60;
const BARS = '▁▂▃▄▅▆▇█';

/** Points are `[epoch ms, value]`; what JSON has no number for is "NaN", "+Inf" or "-Inf". */
export function jsonOf(query: CompiledQuery, { from, to, stepMs }: QueryRange, { type, series, warnings }: QueryResult): object {
  const asked = stepMs === undefined ? { at: to } : { from, to, stepMs };
  const all = series.map(({ name, labels, t, v }) => ({ name, labels, points: Array.from(t, (at, i) => [at, jsonNumber(v[i] as number)]) }));
  return { query: query.text, ...asked, type, series: all, warnings };
}

function jsonNumber(value: number): number | string {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** A line a series: its value, or its extremes, mean, last value, and a picture of it. */
export function writeTable(range: QueryRange, { series }: QueryResult, terminal: Terminal): void {
  const isInstant = range.stepMs === undefined;
  const columns = new ColumnWriter(terminal.out, isInstant ? ['SERIES', 'VALUE'] : ['SERIES', 'MIN', 'MEAN', 'MAX', 'LAST', 'CHART']);
  for (const one of series) {
    const name = nameOf(one);
    if (isInstant) columns.row([name, numberText(one.v[0] as number)]);
    else columns.row([name, ...summaryOf(one.v).map(numberText), chartOf(one, range)]);
  }
  columns.end();
}

function nameOf({ name = '', labels }: QuerySeries): string {
  const parts = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}${parts.length === 0 && name !== '' ? '' : `{${parts.join(', ')}}`}`;
}

function numberText(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(jsonNumber(value));
}

function summaryOf(values: Float64Array): readonly number[] {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  return [min, sum / values.length, max, values[values.length - 1] as number];
}

/** The mean of each column of the time as a bar between the smallest and the largest mean; a gap stays a gap. */
function chartOf({ t, v }: QuerySeries, { from, to, stepMs = 1 }: QueryRange): string {
  const steps = Math.floor((to - from) / stepMs) + 1;
  const width = Math.min(WIDTH, steps);
  const sums = new Float64Array(width);
  const counts = new Float64Array(width);
  for (let i = 0; i < t.length; i++) {
    const value = v[i] as number;
    if (!Number.isFinite(value)) continue;
    const column = Math.min(width - 1, Math.floor((Math.round(((t[i] as number) - from) / stepMs) * width) / steps));
    sums[column] = (sums[column] as number) + value;
    counts[column] = (counts[column] as number) + 1;
  }
  const means = Array.from(sums, (sum, column) => sum / (counts[column] as number));
  const known = means.filter((mean) => !Number.isNaN(mean));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return means.map((mean) => (Number.isNaN(mean) ? ' ' : BARS[high === low ? 3 : Math.round(((mean - low) / (high - low)) * 7)])).join('');
}
