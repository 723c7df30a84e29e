import type { MetricFamily } from './family.js';
import type { AnySeries, HistogramSeries, KeptExemplar } from './instruments.js';
import { escapeHelp, labelText, numberText } from './names.js';
import { encodeText, PageWriter } from './page-writer.js';

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
 * built once and kept as bytes, so that a scrape costs little more than the printing of numbers.
 */
export class Exposition {
  readonly #openMetrics: boolean;
  readonly #defaults: Readonly<Record<string, string>>;
  readonly #page = new PageWriter();
  readonly #heads = new WeakMap<MetricFamily, Uint8Array>();
  readonly #lineHeads = new WeakMap<MetricFamily, Uint8Array[]>();
  readonly #histogramHeads = new WeakMap<AnySeries, readonly Uint8Array[]>();

  constructor(format: ExpositionFormat, defaultLabels: Readonly<Record<string, string>>) {
    this.#openMetrics = format === 'openmetrics';
    this.#defaults = defaultLabels;
  }

  /** For whoever wants text. */
  text(families: Iterable<MetricFamily>): string {
    return this.#write(families).text();
  }

  /** For the wire: no string is made on the way. */
  bytes(families: Iterable<MetricFamily>): Uint8Array {
    return this.#write(families).toBytes();
  }

  #write(families: Iterable<MetricFamily>): PageWriter {
    const page = this.#page;
    page.begin();
    for (const family of families) {
      if (family.series.length === 0) continue;
      page.bytes(this.#head(family));
      if (family.definition.kind === 'histogram') {
        for (const series of family.series) this.#histogram(family, series as HistogramSeries);
      } else this.#simple(family);
    }
    if (this.#openMetrics) page.bytes(END);
    return page;
  }

  #head(family: MetricFamily): Uint8Array {
    const known = this.#heads.get(family);
    if (known !== undefined) return known;
    const { kind, help, unit } = family.definition;
    const name = this.#familyName(family);
    const hasBuckets = (family.series[0] as Partial<HistogramSeries>).bounds !== undefined;
    const type = kind === 'histogram' && !hasBuckets ? 'summary' : kind;
    let text = `# HELP ${name} ${escapeHelp(help, this.#openMetrics)}\n# TYPE ${name} ${type}\n`;
    if (this.#openMetrics && unit !== undefined && name.endsWith(`_${unit}`)) text += `# UNIT ${name} ${unit}\n`;
    const head = encodeText(text);
    this.#heads.set(family, head);
    return head;
  }

  /** OpenMetrics names a counter's family without the suffix that its samples have. */
  #familyName({ definition: { kind, name } }: MetricFamily): string {
    return this.#openMetrics && kind === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
  }

  #simple(family: MetricFamily): void {
    let heads = this.#lineHeads.get(family);
    if (heads === undefined) this.#lineHeads.set(family, (heads = []));
    const series = family.series as readonly Simple[];
    for (let i = heads.length; i < series.length; i++) heads.push(this.#lineHead(family, series[i] as Simple));
    const showsExemplars = this.#openMetrics && family.definition.kind === 'counter';
    for (let i = 0; i < series.length; i++) {
      const { value, exemplar } = series[i] as Simple;
      if (showsExemplars && exemplar !== undefined) this.#lineWithExemplar(heads[i] as Uint8Array, value, exemplar);
      else this.#page.line(heads[i] as Uint8Array, value);
    }
  }

  #lineHead(family: MetricFamily, { labels }: Simple): Uint8Array {
    const suffix = this.#openMetrics && family.definition.kind === 'counter' ? '_total' : '';
    return encodeText(`${this.#familyName(family)}${suffix}${labelText({ ...this.#defaults, ...labels })} `);
  }

  #histogram(family: MetricFamily, series: HistogramSeries): void {
    let heads = this.#histogramHeads.get(series);
    if (heads === undefined) this.#histogramHeads.set(series, (heads = this.#headsOf(family, series)));
    const { sketch } = series;
    let line = 0;
    const next = (): Uint8Array => heads[line++] as Uint8Array;
    if (series.bounds === undefined) {
      for (const q of SHOWN_QUANTILES) this.#page.line(next(), sketch.quantile(q) ?? Number.NaN);
    } else {
      let below = 0;
      for (let bucket = 0; bucket < series.bucketCounts.length; bucket++) {
        below += series.bucketCounts[bucket] as number;
        const exemplar = this.#openMetrics ? series.exemplars[bucket] : undefined;
        if (exemplar === undefined) this.#page.line(next(), below);
        else this.#lineWithExemplar(next(), below, exemplar);
      }
    }
    this.#page.line(next(), sketch.sum);
    this.#page.line(next(), sketch.count);
  }

  #lineWithExemplar(head: Uint8Array, value: number, exemplar: KeptExemplar): void {
    this.#page.bytes(head);
    this.#page.bytes(encodeText(`${numberText(value)}${exemplarText(exemplar)}\n`));
  }

  #headsOf(family: MetricFamily, series: HistogramSeries): Uint8Array[] {
    const { name } = family.definition;
    const labels = { ...this.#defaults, ...series.labels };
    const points =
      series.bounds === undefined
        ? SHOWN_QUANTILES.map((q) => `${name}${labelText(labels, `quantile="${q}"`)} `)
        : [...series.bounds, Infinity].map((bound) => `${name}_bucket${labelText(labels, `le="${this.#bound(bound)}"`)} `);
    return [...points, `${name}_sum${labelText(labels)} `, `${name}_count${labelText(labels)} `].map(encodeText);
  }

  /** OpenMetrics wants whole bounds with their `.0`. */
  #bound(bound: number): string {
    return this.#openMetrics && Number.isInteger(bound) && bound < 1e21 ? `${bound}.0` : numberText(bound);
  }
}

/** A counter or a gauge. */
interface Simple {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly exemplar?: KeptExemplar | undefined;
}

const END = encodeText('# EOF\n');

// Code points, as OpenMetrics counts them.
function charactersIn(text: string): number {
  return text.length - (text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);
}

function exemplarText(exemplar: KeptExemplar): string {
  let length = 0;
  for (const [name, value] of Object.entries(exemplar.labels)) length += charactersIn(name) + charactersIn(value);
  // Too long an exemplar would make the whole page invalid.
  if (length > LONGEST_EXEMPLAR) return '';
  return ` # ${labelText(exemplar.labels) || '{}'} ${numberText(exemplar.value)} ${exemplar.at / 1000}`;
}
