import type { MetricFamily } from './family.js';
import type { AnySeries, HistogramSeries, KeptExemplar } from './instruments.js';
import { escapeHelp, labelText, numberText } from './names.js';

/** `text/plain` is Prometheus' classic format 0.0.4; `openmetrics` is OpenMetrics 1.0 and carries units and exemplars. */
export type ExpositionFormat = 'text/plain' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  'text/plain': 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The quantiles that a histogram without classic buckets is shown with, as a summary. */
export const SHOWN_QUANTILES: readonly number[] = [0.5, 0.9, 0.95, 0.99];
// OpenMetrics: the names and values of an exemplar's labels have at most this many characters.
const LONGEST_EXEMPLAR = 128;

/**
 * Writes families as text. What does not change about a series, its name and escaped labels, is
 * built once and kept, so that a scrape costs little more than the printing of numbers.
 */
export class Exposition {
  readonly #openMetrics: boolean;
  readonly #defaults: Readonly<Record<string, string>>;
  readonly #heads = new WeakMap<MetricFamily, string>();
  readonly #prefixes = new WeakMap<AnySeries, readonly string[]>();
  readonly #kept = new WeakMap<MetricFamily, KeptLine[]>();

  constructor(format: ExpositionFormat, defaultLabels: Readonly<Record<string, string>>) {
    this.#openMetrics = format === 'openmetrics';
    this.#defaults = defaultLabels;
  }

  write(families: Iterable<MetricFamily>): string {
    // Lines joined at the end: cheaper than a string that grows line by line.
    const lines: string[] = [];
    for (const family of families) {
      if (family.series.length === 0) continue;
      lines.push(this.#head(family));
      if (family.definition.kind === 'histogram') {
        for (const series of family.series) this.#histogram(lines, family, series as HistogramSeries);
      } else this.#simple(lines, family);
    }
    if (this.#openMetrics) lines.push('# EOF');
    lines.push('');
    return lines.join('\n');
  }

  #head(family: MetricFamily): string {
    const known = this.#heads.get(family);
    if (known !== undefined) return known;
    const { kind, help, unit } = family.definition;
    const name = this.#familyName(family);
    const hasBuckets = (family.series[0] as Partial<HistogramSeries>).bounds !== undefined;
    const type = kind === 'histogram' && !hasBuckets ? 'summary' : kind;
    let head = `# HELP ${name} ${escapeHelp(help, this.#openMetrics)}\n# TYPE ${name} ${type}`;
    if (this.#openMetrics && unit !== undefined && name.endsWith(`_${unit}`)) head += `\n# UNIT ${name} ${unit}`;
    this.#heads.set(family, head);
    return head;
  }

  /** OpenMetrics names a counter's family without the suffix that its samples have. */
  #familyName({ definition: { kind, name } }: MetricFamily): string {
    return this.#openMetrics && kind === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
  }

  // Most series stand still between two scrapes: their lines are kept with the value that they show.
  #simple(lines: string[], family: MetricFamily): void {
    let kept = this.#kept.get(family);
    if (kept === undefined) this.#kept.set(family, (kept = []));
    const series = family.series as readonly Simple[];
    const isCounter = family.definition.kind === 'counter';
    for (let i = kept.length; i < series.length; i++) kept.push(this.#keep(family, series[i] as Simple));
    for (let i = 0; i < series.length; i++) {
      const one = kept[i] as KeptLine;
      const { value, exemplar } = series[i] as Simple;
      if (value !== one.value) {
        one.value = value;
        one.line = `${one.prefix}${value - value === 0 ? value : numberText(value)}`;
      }
      lines.push(isCounter && exemplar !== undefined && this.#openMetrics ? one.line + exemplarText(exemplar) : one.line);
    }
  }

  #keep(family: MetricFamily, { labels }: Simple): KeptLine {
    const suffix = this.#openMetrics && family.definition.kind === 'counter' ? '_total' : '';
    return { prefix: `${this.#familyName(family)}${suffix}${labelText({ ...this.#defaults, ...labels })} `, value: Number.NaN, line: '' };
  }

  #histogram(lines: string[], family: MetricFamily, series: HistogramSeries): void {
    let prefixes = this.#prefixes.get(series);
    if (prefixes === undefined) this.#prefixes.set(series, (prefixes = this.#histogramPrefixes(family, series)));
    const { sketch } = series;
    let line = 0;
    if (series.bounds === undefined) {
      for (const q of SHOWN_QUANTILES) lines.push(`${prefixes[line++]}${numberText(sketch.quantile(q) ?? Number.NaN)}`);
    } else {
      let below = 0;
      for (let bucket = 0; bucket < series.bucketCounts.length; bucket++) {
        below += series.bucketCounts[bucket] as number;
        lines.push(`${prefixes[line++]}${below}${this.#openMetrics ? exemplarText(series.exemplars[bucket]) : ''}`);
      }
    }
    lines.push(`${prefixes[line++]}${numberText(sketch.sum)}`, `${prefixes[line]}${sketch.count}`);
  }

  #histogramPrefixes(family: MetricFamily, series: HistogramSeries): string[] {
    const { name } = family.definition;
    const labels = { ...this.#defaults, ...series.labels };
    const points =
      series.bounds === undefined
        ? SHOWN_QUANTILES.map((q) => `${name}${labelText(labels, `quantile="${q}"`)} `)
        : [...series.bounds, Infinity].map((bound) => `${name}_bucket${labelText(labels, `le="${this.#bound(bound)}"`)} `);
    return [...points, `${name}_sum${labelText(labels)} `, `${name}_count${labelText(labels)} `];
  }

  /** OpenMetrics wants whole bounds with their `.0`. */
  #bound(bound: number): string {
    return this.#openMetrics && Number.isInteger(bound) && bound < 1e21 ? `${bound}.0` : numberText(bound);
  }
}

/** A line as it was last written. */
interface KeptLine {
  readonly prefix: string;
  value: number;
  line: string;
}

/** A counter or a gauge. */
interface Simple {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly exemplar?: KeptExemplar | undefined;
}

// Code points, as OpenMetrics counts them.
function charactersIn(text: string): number {
  return text.length - (text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);
}

function exemplarText(exemplar: KeptExemplar | undefined): string {
  if (exemplar === undefined) return '';
  let length = 0;
  for (const [name, value] of Object.entries(exemplar.labels)) length += charactersIn(name) + charactersIn(value);
  // Too long an exemplar would make the whole page invalid.
  if (length > LONGEST_EXEMPLAR) return '';
  return ` # ${labelText(exemplar.labels) || '{}'} ${numberText(exemplar.value)} ${exemplar.at / 1000}`;
}
