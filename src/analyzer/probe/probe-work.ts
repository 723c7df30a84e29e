import type { Clock } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import type { ProbedKit, ProbeOptions } from './probe-options.js';

/** What a probe does. */
export interface ProbeWork extends Pick<ProbeOptions, 'orders' | 'signal'> {
  readonly symbols: readonly string[];
  readonly durationMs: number;
  readonly everyMs: number;
  readonly maxAgeMs: number;
  readonly maxReads: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly onSecond: (second: number) => void;
}

const READERS = ['probe 1', 'probe 2', 'probe 3', 'probe 4'];
const BARS_EVERY = 10;
const READ_DEADLINE_MS = 10_000;
const ORDER_DEADLINE_MS = 30_000;
const CANCEL_AFTER_MS = 2_000;

/** Reads, and orders where it was told to, until the time is over or the signal aborts; what fails is on the bus. */
export async function runProbe(kit: ProbedKit, work: ProbeWork): Promise<void> {
  const { clock, durationMs, everyMs, random, orders } = work;
  const begin = clock.monotonic();
  const pending: Promise<unknown>[] = [];
  let left = work.maxReads;
  const mayRead = (): boolean => left-- > 0;
  await Promise.all([
    ...READERS.map((reader) => read(kit, work, reader, begin + random() * everyMs, mayRead)),
    ...(orders === undefined ? [] : [order(kit, work, orders, begin, pending)]),
    each(work, begin, 1_000, async (n) => work.onSecond(n)),
  ]);
  await Promise.all(pending);
  // The last tick must have what came last.
  await pause(work, begin + durationMs + 1_000);
}

async function read({ marketData }: ProbedKit, work: ProbeWork, consumer: string, begin: number, mayRead: () => boolean): Promise<void> {
  if (marketData === undefined) return;
  const { symbols, everyMs, maxAgeMs, signal } = work;
  const options = { consumer, maxAgeMs, deadlineMs: READ_DEADLINE_MS, ...(signal === undefined ? {} : { signal }) };
  await each(work, begin, everyMs, async (n) => {
    for (const symbol of symbols) {
      if (!mayRead()) return;
      await marketData.get('quote', { symbol }, options).catch(() => {});
      if (n % BARS_EVERY !== 0 || !mayRead()) continue;
      await marketData.get('bars', { symbol, interval: '1m' }, { ...options, maxAgeMs: 60_000 }).catch(() => {});
    }
  });
}

async function order(
  { trading }: ProbedKit,
  work: ProbeWork,
  { count, intent }: NonNullable<ProbeOptions['orders']>,
  begin: number,
  pending: Promise<unknown>[],
): Promise<void> {
  const { clock, durationMs, signal } = work;
  const options = { deadlineMs: ORDER_DEADLINE_MS, ...(signal === undefined ? {} : { signal }) };
  const one = async (n: number): Promise<void> => {
    const { intentId } = intent(n);
    const { state } = await trading!.submit({ ...intent(n), intentId }, options);
    if (state !== 'working' && state !== 'partially_filled') return;
    await pause(work, clock.monotonic() + CANCEL_AFTER_MS);
    // Also after an interruption: what was sent must not be left standing.
    await trading!.cancel(intentId, { deadlineMs: ORDER_DEADLINE_MS });
  };
  await each({ ...work, durationMs }, begin, durationMs / count, async (n) => {
    if (n < count) pending.push(one(n).catch(() => {}));
  });
}

/** Calls again and again until the time is over; a call that takes longer than its turn leaves turns out. */
async function each(work: ProbeWork, begin: number, everyMs: number, call: (n: number) => Promise<void>): Promise<void> {
  const { clock, durationMs, signal } = work;
  const turns = Math.floor(durationMs / everyMs + 1e-9);
  for (let turn = 0; turn < turns; turn = Math.max(turn + 1, Math.floor((clock.monotonic() - begin) / everyMs))) {
    await pause(work, begin + turn * everyMs);
    if (signal?.aborted) return;
    await call(turn);
  }
}

/** Until then, or until the signal aborts. */
async function pause({ clock, signal }: ProbeWork, until: number): Promise<void> {
  await clock.sleep(Math.max(0, until - clock.monotonic()), signal).catch((error: unknown) => {
    if (signal?.aborted !== true) throw error;
  });
}
