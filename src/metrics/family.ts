import { requireString } from '../core/options.js';
import type { AnySeries, MetricKind } from './instruments.js';

/** What a family was registered with. */
export interface FamilyDefinition {
  readonly kind: MetricKind;
  readonly name: string;
  readonly help: string;
  readonly unit: string | undefined;
  readonly labels: readonly string[];
  readonly maxSeries: number;
}

/** What a family asks of its registry. */
export interface FamilyHost<S> {
  make(labels: Readonly<Record<string, string>>): S;
  /** Whether the registry has room for one more series. */
  hasRoom(): boolean;
  overflowed(name: string): void;
}

type Level<S> = Map<string, Level<S> | S>;

/**
 * All series of one metric. A series is found by walking one map a label, so that no string is
 * built from labels; the number of series is bounded, and what is beyond shares one series with
 * `overflow="true"`: a label that takes any value must not eat the host's memory.
 */
export class MetricFamily<S extends AnySeries = AnySeries> {
  readonly definition: FamilyDefinition;
  /** In order of creation; only ever grows. */
  readonly series: S[] = [];
  /** Brings the series up to date before they are read. */
  collect: (() => void) | undefined;
  readonly #host: FamilyHost<S>;
  readonly #names: readonly string[];
  /** The names of two labels, the commonest case; undefined for any other number. */
  readonly #pair: { readonly first: string; readonly second: string } | undefined;
  readonly #root: Level<S> = new Map();
  #overflow: S | undefined;

  constructor(definition: FamilyDefinition, host: FamilyHost<S>) {
    this.definition = definition;
    this.#host = host;
    this.#names = definition.labels;
    const [first, second] = definition.labels;
    this.#pair = first !== undefined && second !== undefined && definition.labels.length === 2 ? { first, second } : undefined;
  }

  /** The only series of a family without labels. */
  only(): S {
    return (this.series[0] ??= this.#host.make({}));
  }

  /**
   * The series with these labels, made when it is first asked for. Keep it where it is used often.
   * @throws TypeError when a label is missing, unknown or no string.
   */
  with(labels: Readonly<Record<string, string>>): S {
    const pair = this.#pair;
    // Without the loop: half the time.
    if (pair !== undefined) {
      const level = this.#root.get(labels[pair.first] as string) as Level<S> | undefined;
      return (level?.get(labels[pair.second] as string) as S | undefined) ?? this.#addOrOverflow(labels);
    }
    const names = this.#names;
    let node: Level<S> | S | undefined = this.#root;
    for (let i = 0; i < names.length; i++) {
      node = (node as Level<S>).get(labels[names[i] as string] as string);
      if (node === undefined) return this.#addOrOverflow(labels);
    }
    return node as S;
  }

  #addOrOverflow(given: Readonly<Record<string, string>>): S {
    const labels = this.#checked(given);
    const values = Object.values(labels);
    const known = this.#find(values);
    if (known !== undefined) return known;
    const regular = this.series.length - Number(this.#overflow !== undefined);
    if (regular >= this.definition.maxSeries || !this.#host.hasRoom()) {
      this.#host.overflowed(this.definition.name);
      return (this.#overflow ??= this.#append({ overflow: 'true' }));
    }
    const series = this.#append(labels);
    let level = this.#root;
    for (const value of values.slice(0, -1)) {
      const next = level.get(value) as Level<S> | undefined;
      if (next === undefined) level.set(value, (level = new Map()));
      else level = next;
    }
    level.set(values[values.length - 1] as string, series);
    return series;
  }

  #append(labels: Readonly<Record<string, string>>): S {
    const series = this.#host.make(labels);
    this.series.push(series);
    return series;
  }

  #find(values: readonly string[]): S | undefined {
    let node: Level<S> | S | undefined = this.#root;
    for (const value of values) node = (node as Level<S> | undefined)?.get(value);
    return node as S | undefined;
  }

  #checked(given: Readonly<Record<string, string>>): Record<string, string> {
    const { name, labels: names } = this.definition;
    const labels: Record<string, string> = {};
    for (const label of names) {
      const value = requireString(`label "${label}" of ${name}`, (Object.hasOwn(given, label) ? given[label] : undefined) as string);
      // Half a surrogate pair can't be written as UTF-8; two values that differ only there are one.
      labels[label] = value.replace(/\p{Surrogate}/gu, '\uFFFD');
    }
    for (const label of Object.keys(given)) {
      if (!names.includes(label)) throw new TypeError(`${name} has no label "${label}"; it has ${names.join(', ') || 'none'}`);
    }
    return labels;
  }
}
