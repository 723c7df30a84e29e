import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { AnalyticsEngine, DEFAULT_ANOMALY_THRESHOLD, type Series, StreamingDetector } from '../../src/analytics/index.js';

/**
 * Draws the pictures of docs/concepts/analytics from real series of the Numenta Anomaly Benchmark
 * (test/fixtures/analytics): `tsx bench/analytics/pictures.ts`.
 */
const FIXTURES = new URL('../../test/fixtures/analytics/nab/', import.meta.url);
const OUT = new URL('../../docs/concepts/analytics/', import.meta.url);
const WIDTH = 900;
const HEIGHT = 300;
const MARGIN = { top: 58, right: 20, bottom: 30, left: 64 };

interface Line {
  readonly t: ArrayLike<number>;
  readonly v: ArrayLike<number>;
  readonly colour: string;
  readonly width?: number;
  readonly dashed?: boolean;
}

interface Picture {
  readonly title: string;
  readonly subtitle: string;
  readonly lines: readonly Line[];
  readonly bands?: readonly {
    readonly t: ArrayLike<number>;
    readonly low: ArrayLike<number>;
    readonly high: ArrayLike<number>;
    readonly colour: string;
  }[];
  readonly spans?: readonly (readonly [number, number])[];
  readonly marks?: readonly { readonly t: number; readonly v: number }[];
}

function read(name: string): { readonly t: number[]; readonly v: number[]; readonly window: number[] } {
  const rows = readFileSync(new URL(`${name}.csv`, FIXTURES), 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(',').map(Number));
  return { t: rows.map((row) => row[0]! * 1_000), v: rows.map((row) => row[1]!), window: rows.map((row) => row[2]!) };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Round values that span [low, high], some six steps of 1, 2 or 5 times a power of ten. */
function roundTicks(low: number, high: number): readonly number[] {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const count = Math.ceil(high / step) - first;
  return Array.from({ length: count + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const DAY_MS = 86_400_000;

/** Midnights, UTC, at most eight of them. */
function dayTicks(from: number, to: number): readonly number[] {
  const every = [1, 2, 3, 7, 14, 28].find((days) => (to - from) / (days * DAY_MS) <= 8) ?? 28;
  const first = Math.ceil(from / DAY_MS);
  return Array.from({ length: Math.floor((Math.floor(to / DAY_MS) - first) / every) + 1 }, (_, i) => (first + i * every) * DAY_MS);
}

/** Where points are missing a line would tell of values that nobody measured. */
function unbroken(t: ArrayLike<number>, v: ArrayLike<number>): readonly { readonly t: readonly number[]; readonly v: readonly number[] }[] {
  const steps = Array.from({ length: t.length - 1 }, (_, i) => t[i + 1]! - t[i]!).sort((a, b) => a - b);
  const longest = 3 * (steps[steps.length >> 1] ?? Infinity);
  const parts: { readonly t: number[]; readonly v: number[] }[] = [];
  for (let i = 0; i < t.length; i++) {
    if (i === 0 || t[i]! - t[i - 1]! > longest) parts.push({ t: [], v: [] });
    const part = parts[parts.length - 1]!;
    part.t.push(t[i]!);
    part.v.push(v[i]!);
  }
  return parts;
}

function draw({ title, subtitle, lines, bands = [], spans = [], marks = [] }: Picture): string {
  const times = lines.flatMap(({ t }) => [t[0]!, t[t.length - 1]!]);
  const values = [...lines.flatMap(({ v }) => Array.from(v)), ...bands.flatMap(({ low, high }) => [...Array.from(low), ...Array.from(high)])];
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const ticks = roundTicks(least, most);
  const [low, high] = [ticks[0]!, ticks[ticks.length - 1]!];
  const x = (t: number): string => (MARGIN.left + ((t - from) / (to - from)) * (WIDTH - MARGIN.left - MARGIN.right)).toFixed(1);
  const y = (v: number): string => (HEIGHT - MARGIN.bottom - ((v - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom)).toFixed(1);
  const path = (t: ArrayLike<number>, v: ArrayLike<number>): string => Array.from(t, (time, i) => `${x(time)},${y(v[i]!)}`).join(' ');
  const text = (at: string, down: string, size: number, body: string, more = ''): string =>
    `<text x="${at}" y="${down}" font-size="${size}" ${more}>${escaped(body)}</text>`;
  const day = (t: number): string => new Date(t).toISOString().slice(0, 10);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" fill="#333">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text('16', '20', 15, title, 'font-weight="600"'),
    text('16', '36', 11, subtitle, 'fill="#666"'),
    ...spans.map(
      ([a, b]) =>
        `<rect x="${x(a)}" y="${MARGIN.top}" width="${(Number(x(b)) - Number(x(a))).toFixed(1)}" height="${HEIGHT - MARGIN.top - MARGIN.bottom}" fill="#f6d55c" opacity=".4"/>`,
    ),
    ...ticks.map(
      (value) =>
        `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e5e5"/>${text(String(MARGIN.left - 6), y(value), 10, value.toLocaleString('en'), 'text-anchor="end" dominant-baseline="middle" fill="#666"')}`,
    ),
    ...dayTicks(from, to).map((t) => {
      const bottom = HEIGHT - MARGIN.bottom;
      // A label at the edge begins or ends there.
      const anchor = Number(x(t)) < MARGIN.left + 30 ? 'start' : Number(x(t)) > WIDTH - MARGIN.right - 30 ? 'end' : 'middle';
      return `<line x1="${x(t)}" x2="${x(t)}" y1="${bottom}" y2="${bottom + 4}" stroke="#999"/>${text(x(t), String(HEIGHT - 10), 10, day(t), `text-anchor="${anchor}" fill="#666"`)}`;
    }),
    ...bands.map(
      ({ t, low: bottom, high: top, colour }) =>
        `<polygon points="${path(t, top)} ${path(Array.from(t).reverse(), Array.from(bottom).reverse())}" fill="${colour}"/>`,
    ),
    ...lines.flatMap(({ t, v, colour, width = 1, dashed }) =>
      unbroken(t, v).map(
        (part) =>
          `<polyline points="${path(part.t, part.v)}" fill="none" stroke="${colour}" stroke-width="${width}"${dashed ? ' stroke-dasharray="6 4"' : ''}/>`,
      ),
    ),
    ...marks.map(({ t, v }) => `<circle cx="${x(t)}" cy="${y(v)}" r="5" fill="none" stroke="#d7263d" stroke-width="2"/>`),
    '</svg>',
    '',
  ].join('\n');
}

function anomaly(): string {
  const { t, v, window } = read('realKnownCause__ec2_request_latency_system_failure');
  const detector = new StreamingDetector();
  const marks = v.flatMap((value, i) => (detector.push(t[i]!, value).score >= DEFAULT_ANOMALY_THRESHOLD ? [{ t: t[i]!, v: value }] : []));
  const spans = [...new Set(window)].filter((k) => k > 0).map((k) => [t[window.indexOf(k)]!, t[window.lastIndexOf(k)]!] as const);
  return draw({
    title: 'Anomalies in the request latency of a machine that failed',
    subtitle: 'circles: StreamingDetector at its default threshold; yellow: windows labelled in NAB',
    lines: [{ t, v, colour: '#1f6feb' }],
    spans,
    marks,
  });
}

function forecastPicture(): string {
  const { t, v } = read('realKnownCause__nyc_taxi');
  const [cut, horizon, shown] = [3_000, 96, 336];
  const past: Series = { t: t.slice(0, cut), v: v.slice(0, cut) };
  const made = new AnalyticsEngine().forecast(past, { horizonMs: horizon * 1_800_000 });
  const [inner, outer] = made.intervals;
  return draw({
    title: 'Two days of New York taxi demand, forecast',
    subtitle: 'blue: past; grey: what came; red: forecast with its 80 % and 95 % bands; the season was found from the data',
    lines: [
      { t: t.slice(cut - shown, cut), v: v.slice(cut - shown, cut), colour: '#1f6feb' },
      { t: t.slice(cut - 1, cut + horizon), v: v.slice(cut - 1, cut + horizon), colour: '#777', width: 1.5 },
      { t: made.t, v: made.mean, colour: '#d7263d', width: 1.5 },
    ],
    bands: [
      { t: made.t, low: outer!.low, high: outer!.high, colour: '#fbe3e6' },
      { t: made.t, low: inner!.low, high: inner!.high, colour: '#f3b8c0' },
    ],
  });
}

function trend(): string {
  const all = read('realKnownCause__ambient_temperature_system_failure');
  // Twelve weeks of hours, in winter.
  const [t, v] = [all.t.slice(3_600, 5_600), all.v.slice(3_600, 5_600)];
  const found = new AnalyticsEngine().trend({ t, v });
  const hours = t.map((time) => (time - t[0]!) / 3_600_000);
  const middle = [...v].sort((a, b) => a - b)[v.length >> 1]!;
  const centre = [...hours].sort((a, b) => a - b)[hours.length >> 1]!;
  const line = hours.map((hour) => middle + found.slopePerHour * (hour - centre));
  const p = found.pValue < 1e-4 ? '< 0.0001' : found.pValue.toPrecision(2);
  return draw({
    title: `Temperature of an office, °F: ${found.direction === 'none' ? 'no trend' : found.direction}`,
    subtitle: `red: Theil-Sen, ${(24 * found.slopePerHour).toPrecision(2)} a day (95 %: ${(24 * found.slopeInterval[0]).toPrecision(2)} to ${(24 * found.slopeInterval[1]).toPrecision(2)}), p ${p} with autocorrelation allowed for`,
    lines: [
      { t, v, colour: '#1f6feb' },
      { t: [t[0]!, t[t.length - 1]!], v: [line[0]!, line[line.length - 1]!], colour: '#d7263d', width: 2, dashed: true },
    ],
  });
}

mkdirSync(OUT, { recursive: true });
for (const [name, svg] of [
  ['anomaly', anomaly()],
  ['forecast', forecastPicture()],
  ['trend', trend()],
] as const)
  writeFileSync(new URL(`${name}.svg`, OUT), svg);
