import { hashToUnit, type PricePath } from './price-path.js';
import type { ReplayedPrice } from './replayed-price.js';

/** Milliseconds of an interval such as `1m`, `4h` or `1d`. @throws RangeError when it is none. */
export function intervalMs(interval: string): number {
  const match = /^(\d+)([smhdw])$/.exec(interval);
  const unit = match === null ? undefined : { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[match[2] as 's'];
  const count = Number(match?.[1]);
  if (unit === undefined || count < 1)
    throw new RangeError(`interval must be a number and one of s, m, h, d, w, such as "5m", got ${JSON.stringify(interval)}`);
  return count * unit;
}

interface Columns {
  readonly t: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

class ColumnWriter {
  readonly #columns: Columns;
  #size = 0;

  constructor(capacity: number) {
    const column = (): Float64Array => new Float64Array(capacity);
    this.#columns = { t: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
  }

  get size(): number {
    return this.#size;
  }

  /** Adds to the last bar when it begins at `t`, else opens a new one. */
  add(t: number, open: number, high: number, low: number, close: number, volume: number): void {
    const c = this.#columns;
    const last = this.#size - 1;
    if (last >= 0 && c.t[last] === t) {
      c.high[last] = Math.max(c.high[last]!, high);
      c.low[last] = Math.min(c.low[last]!, low);
      c.close[last] = close;
      c.volume[last] = c.volume[last]! + volume;
      return;
    }
    const i = this.#size++;
    c.t[i] = t;
    c.open[i] = open;
    c.high[i] = high;
    c.low[i] = low;
    c.close[i] = close;
    c.volume[i] = volume;
  }

  slice(from: number, to: number): Columns {
    const cut = (column: Float64Array): Float64Array => column.slice(from, to);
    const c = this.#columns;
    return { t: cut(c.t), open: cut(c.open), high: cut(c.high), low: cut(c.low), close: cut(c.close), volume: cut(c.volume) };
  }
}

/** Recorded bars that have begun by `at`, joined to the asked interval on the clock's grid; the one that runs shows no more than has happened. */
export function aggregate(path: ReplayedPrice, at: number, everyMs: number, since: number | undefined, limit: number): Columns {
  const { bars } = path;
  const last = path.indexAt(at);
  // A recorded bar falls wholly into the asked one; limit bars back can hold at most this many of them.
  const perBar = Math.max(1, Math.ceil(everyMs / bars.barMs));
  const startAt = since === undefined ? undefined : Math.ceil(since / everyMs) * everyMs;
  const first = startAt === undefined ? Math.max(0, last + 1 - perBar * limit) : Math.max(0, path.indexAt(startAt - 1) + 1);
  const end = startAt === undefined ? last : Math.min(last, first + perBar * (limit + 1));
  // As many as there are intervals, not recorded bars: a day of hours is 24, of 1,440 minutes.
  const intervals = end < first ? 0 : Math.floor(bars.t[end]! / everyMs) - Math.floor(bars.t[first]! / everyMs) + 1;
  const writer = new ColumnWriter(Math.min(intervals, end - first + 1));
  for (let i = first; i <= end; i++) {
    const t = bars.t[i]!;
    const bucket = Math.floor(t / everyMs) * everyMs;
    if (t + bars.barMs <= at) writer.add(bucket, bars.open[i]!, bars.high[i]!, bars.low[i]!, bars.close[i]!, bars.volume[i]!);
    else addRunning(writer, path, i, bucket, at);
  }
  return since === undefined ? writer.slice(Math.max(0, writer.size - limit), writer.size) : writer.slice(0, Math.min(limit, writer.size));
}

function addRunning(writer: ColumnWriter, path: ReplayedPrice, i: number, bucket: number, at: number): void {
  const { t, open, volume, barMs } = path.bars;
  const now = path.mid(at);
  let high = Math.max(open[i]!, now);
  let low = Math.min(open[i]!, now);
  for (let knot = 1; knot < 3 && t[i]! + (barMs * knot) / 3 <= at; knot++) {
    const price = path.mid(t[i]! + (barMs * knot) / 3);
    high = Math.max(high, price);
    low = Math.min(low, price);
  }
  writer.add(bucket, open[i]!, high, low, now, volume[i]! * ((at - t[i]!) / barMs));
}

const SAMPLES = 16;

/** Bars of a price path that is a formula, from samples of it; 500 bars of a day cost as much as of a minute. */
export function sampled(path: PricePath, seed: number, at: number, everyMs: number, since: number | undefined, limit: number): Columns {
  const newest = Math.floor(at / everyMs) * everyMs;
  const first = since === undefined ? newest - (limit - 1) * everyMs : Math.ceil(since / everyMs) * everyMs;
  const count = Math.max(0, Math.min(limit, Math.floor((newest - first) / everyMs) + 1));
  const writer = new ColumnWriter(count);
  for (let i = 0; i < count; i++) {
    const t = first + i * everyMs;
    const end = Math.min(at, t + everyMs - 1);
    for (let k = 0; k < SAMPLES; k++) {
      const price = path.mid(t + ((end - t) * k) / (SAMPLES - 1));
      writer.add(t, price, price, price, price, k === 0 ? Math.floor(hashToUnit(seed, t / everyMs) * 1_000) / 10 : 0);
    }
  }
  return writer.slice(0, count);
}
