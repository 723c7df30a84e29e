import type { Cost, Limit } from '../../core/limits.js';
import { ManualClock } from '../../core/manual-clock.js';
import { RateLimiter } from '../../resilience/index.js';
import { quantile } from '../measures/numbers.js';
import type { Trace, TracedCall } from '../trace/trace.js';

type WindowLimit = Extract<Limit, { kind: 'window' }>;

/** The calls that a limit of the venue counts, and what others on the same address or account spend of it. */
export interface LimitCalls {
  readonly limit: WindowLimit;
  readonly calls: readonly { readonly at: number; readonly units: number; readonly isAnswered: boolean }[];
  /** Units that others spent in the window before a report, as the venue said more than was known here. */
  readonly others: readonly { readonly t: number; readonly units: number }[];
  /** How long the venue refuses everything after it was asked too much; 0 where it does not. */
  readonly blockMs: number;
}

export interface ReplayedSend {
  readonly t: number;
  readonly waitMs: number;
  readonly isRefused: boolean;
}

const MOST_CALLS = 8_000;
const LEAST_CALLS = 200;
const LEAST_REPORTS = 20;

/** What a trace says of a limit; or what is missing for it. */
export function limitCalls(trace: Trace, id: string): LimitCalls | string {
  const limit = trace.limits?.find((one) => one.id === id);
  if (limit === undefined) return `the trace does not say what limit "${id}" is; tell the recorder the adapter's limits`;
  if (limit.kind !== 'window') return `limit "${id}" drains instead of sliding over a window, which is not replayed`;
  const unitsOf = (operation: string): number =>
    trace.costs?.[operation]?.filter((cost) => cost.limit === id).reduce((sum, { units }) => sum + units, 0) ?? 1;
  const calls = trace.calls
    .map(({ t, ms, operation, outcome }) => ({ at: t - ms, units: unitsOf(operation), isAnswered: ANSWERED.includes(outcome) }))
    .filter(({ units }) => units > 0)
    .sort((a, b) => a.at - b.at)
    .slice(-MOST_CALLS);
  if (calls.length < LEAST_CALLS) return `the trace holds ${calls.length} calls that cost limit "${id}", and ${LEAST_CALLS} are needed`;
  const reports = trace.limitReports.filter((report) => report.limit === id && report.used !== undefined);
  if (reports.length < LEAST_REPORTS)
    return `the trace holds ${reports.length} reports of the venue on limit "${id}", and ${LEAST_REPORTS} are needed`;
  // What was refused is not counted there.
  const own = runningSum(calls.filter(({ isAnswered }) => isAnswered));
  const seen = reports.map(({ t, used }) => ({ t, units: Math.max(0, used! - own(t - limit.perMs, t)) }));
  const blocks = trace.limitReports.flatMap(({ limit: of, blockedMs }) => (of === id && blockedMs !== undefined ? [blockedMs] : []));
  return { limit, calls, others: upperEnvelope(seen, limit.perMs), blockMs: blocks.length === 0 ? 0 : quantile(blocks, 0.5) };
}

// A report is of the moment at which the venue counted, and comes when more has been sent: the most of a window is nearest to the truth.
function upperEnvelope(seen: LimitCalls['others'], perMs: number): LimitCalls['others'] {
  let [first, last] = [0, 0];
  return seen.map(({ t }) => {
    while (seen[first]!.t < t - perMs / 2) first++;
    while (last < seen.length && seen[last]!.t <= t + perMs / 2) last++;
    let units = 0;
    for (let i = first; i < last; i++) units = Math.max(units, seen[i]!.units);
    return { t, units };
  });
}

const ANSWERED: readonly TracedCall['outcome'][] = ['ok', 'accepted', 'rejected', 'duplicate'];

function runningSum(calls: LimitCalls['calls']): (after: number, upTo: number) => number {
  const sums = [0];
  for (const { units } of calls) sums.push(sums.at(-1)! + units);
  const before = (t: number): number => {
    let [low, high] = [0, calls.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (calls[middle]!.at <= t) low = middle + 1;
      else high = middle;
    }
    return sums[low]!;
  };
  return (after, upTo) => before(upTo) - before(after);
}

/** Sends the same calls through a {@link RateLimiter} with this reserve, against a venue that counts the others' units too. */
export async function replayLimit({ limit, calls, others, blockMs }: LimitCalls, reserve: number): Promise<readonly ReplayedSend[]> {
  const begin = calls[0]!.at;
  const clock = new ManualClock(begin);
  await using limiter = new RateLimiter({ clock, limits: [limit], reserve });
  const sent: { at: number; units: number }[] = [];
  const ended: ReplayedSend[] = [];
  const send = async (cost: Cost): Promise<void> => {
    const t = clock.now();
    await limiter.acquire([cost], { priority: 'read' });
    const at = clock.now();
    while (sent.length > 0 && sent[0]!.at <= at - limit.perMs) sent.shift();
    const own = sent.reduce((sum, { units }) => sum + units, 0);
    const isRefused = own + cost.units + otherUnits(others, at) > limit.units;
    // A venue counts what it answers.
    if (!isRefused) sent.push({ at, units: cost.units });
    else if (blockMs > 0) limiter.observe({ limit: limit.id, blockedUntil: at + blockMs });
    ended.push({ t, waitMs: at - t, isRefused });
  };
  let next = 0;
  const arrive = (): void => {
    const { units } = calls[next++]!;
    void send({ limit: limit.id, units });
    if (next < calls.length) clock.schedule(calls[next]!.at - clock.now(), arrive);
  };
  arrive();
  while (ended.length < calls.length) await clock.advance(1_000);
  return ended.sort((a, b) => a.t - b.t);
}

function otherUnits(others: LimitCalls['others'], t: number): number {
  let [low, high] = [0, others.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (others[middle]!.t <= t) low = middle + 1;
    else high = middle;
  }
  return (others[Math.max(0, low - 1)] ?? { units: 0 }).units;
}
