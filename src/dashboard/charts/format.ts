/** What a value is measured in. */
export type Unit = 'seconds' | 'ratio' | 'per second' | 'bytes' | 'count' | 'times' | 'none';

const SCALES: Readonly<Record<Unit, (value: number) => string>> = {
  seconds: (s) => {
    const size = Math.abs(s);
    if (size === 0) return '0 ms';
    if (size < 0.001) return `${digits(s * 1e6)} µs`;
    if (size < 1) return `${digits(s * 1e3)} ms`;
    if (size < 120) return `${digits(s)} s`;
    return duration(s);
  },
  ratio: (r) => `${digits(r * 100)} %`,
  'per second': (n) => `${digits(n)}/s`,
  bytes: (b) => {
    const size = Math.abs(b);
    if (size >= 1e9) return `${digits(b / 1e9)} GB`;
    if (size >= 1e6) return `${digits(b / 1e6)} MB`;
    if (size >= 1e3) return `${digits(b / 1e3)} kB`;
    return `${digits(b)} B`;
  },
  count: (n) => digits(n),
  times: (n) => `${digits(n)}×`,
  none: (n) => digits(n),
};

/** A value with its unit, in three significant digits. */
export function format(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return Number.isFinite(value) ? SCALES[unit](value) : String(value);
}

/** Three significant digits; large numbers with separators. */
export function digits(value: number): string {
  const rounded = Number(value.toPrecision(3));
  const size = Math.abs(rounded);
  if (size >= 1e12 || (size > 0 && size < 1e-6)) return rounded.toExponential();
  return size >= 10_000 ? rounded.toLocaleString('en-US') : String(rounded);
}

/** `3 d 4 h`, `2 h 5 min`, `4 min 10 s`, `12 s`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(s / 86_400), 'd'],
    [Math.floor(s / 3_600) % 24, 'h'],
    [Math.floor(s / 60) % 60, 'min'],
    [s % 60, 's'],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, name]) => `${n} ${name}`)
    .join(' ');
}

/** `2026-11-27 14:05:00 UTC`. */
export const utc = (t: number): string => `${new Date(t).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** What unit a metric's name tells, as Prometheus names them. */
export function unitOfMetric(name: string): Unit {
  if (name.endsWith('_seconds')) return 'seconds';
  if (name.endsWith('_ratio')) return 'ratio';
  if (name.endsWith('_bytes')) return 'bytes';
  if (name.endsWith('_total')) return 'per second';
  return 'none';
}
