import { DEFAULT_SERIES, type SelectedSeries, selectSeries } from '../charts/selected-series.js';

/** What a page wants to see. */
export interface View {
  /** The range up to now; or, with `to`, a range of the past that does not move. */
  readonly rangeMs: number;
  /** Epoch ms. */
  readonly to?: number;
  readonly selected: SelectedSeries;
}

export const DEFAULT_RANGE_MS: number = 15 * 60_000;
const SHORTEST_MS = 10_000;
const LONGEST_MS = 400 * 86_400_000;

/** Whether a date can be told of it. */
export const isEpochMs = (t: number): boolean => t >= 0 && t <= 8.64e15;

/** @throws RangeError naming the parameter that can't be meant */
export function viewOf(query: URLSearchParams): View {
  const selected = selectSeries(query.get('metric') ?? DEFAULT_SERIES);
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    const value = Number(text);
    if (!Number.isFinite(value)) throw new RangeError(`${name} must be a number of milliseconds, got ${JSON.stringify(text)}`);
    return value;
  };
  const [from, to] = [number('from'), number('to')];
  if ((from === undefined) !== (to === undefined)) throw new RangeError('from and to go together: both in epoch milliseconds, or neither');
  for (const [name, t] of [
    ['from', from],
    ['to', to],
  ] as const)
    if (t !== undefined && !isEpochMs(t)) throw new RangeError(`${name} must be epoch milliseconds, got ${t}`);
  const rangeMs = from === undefined ? (number('range') ?? DEFAULT_RANGE_MS) : to! - from;
  if (rangeMs < SHORTEST_MS || rangeMs > LONGEST_MS) throw new RangeError(`the range must be between 10 seconds and 400 days, got ${rangeMs} ms`);
  return to === undefined ? { rangeMs, selected } : { rangeMs, to, selected };
}

/** What a page asks for first, by its own address: a fixed range in the whole seconds that its controls show. */
export function openingView(address: URLSearchParams): URLSearchParams {
  const [from, to] = [address.get('from'), address.get('to')];
  if (from === null || to === null) return new URLSearchParams({ range: address.get('range') ?? String(DEFAULT_RANGE_MS) });
  const seconds = (t: string): string => String(Math.floor(Number(t) / 1_000) * 1_000);
  return new URLSearchParams({ from: seconds(from), to: seconds(to) });
}

/** The same for the same view, so that its pages share the reading. */
export const viewKey = ({ rangeMs, to, selected }: View): string => JSON.stringify([rangeMs, to ?? null, selected.id]);
