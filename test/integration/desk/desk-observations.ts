/** The clock that all processes of this host share, in ms: no start time is read apart, and no step of the wall clock shows. */
export function hostMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** How the venue of a desk says in an error that it has banned everybody. */
export const BANNED: RegExp = /^banned for (\d+) ms$/;

/** Units of a limit, when they were spent by the host's clock. */
export interface Spent {
  readonly at: number;
  readonly units: number;
}

/** At the venue, with how long its way took. */
export interface Arrived extends Spent {
  readonly tookMs: number;
}

/** A ban, as the one process that the venue told of it heard. */
export interface Ban {
  readonly toldAt: number;
  readonly forMs: number;
}

/** How a standby came to lead. */
export interface Takeover {
  /** What had become of the sender. */
  readonly after: 'killed' | 'stopped';
  /** From that moment until the standby had reconciled and took orders. */
  readonly ms: number;
}

/** What was seen of a desk while it ran. */
export interface DeskObservations {
  readonly limit: { readonly units: number; readonly perMs: number };
  readonly leaseMs: number;
  readonly sent: readonly Spent[];
  readonly arrived: readonly Arrived[];
  readonly bans: readonly Ban[];
  readonly takeovers: readonly Takeover[];
}

export interface DeskMeasures {
  readonly requests: number;
  /** The most units in any window, as sent. */
  readonly mostInAWindow: number;
  /** By how much the ways to the venue differed. */
  readonly spreadMs: number;
  /** The most that arrived in any window shorter by the spread. */
  readonly mostAtVenue: number;
  /** For each ban, until the last request that any process still sent; 0 where none did. */
  readonly banObeyedMs: readonly number[];
  /** The longest of each kind; 0 where there was none. */
  readonly takeoverMs: Readonly<Record<Takeover['after'], number>>;
}

const BAN_OBEYED_MS = 50;
/** A ban is kept by clocks that are read apart: its last moment is nobody's. */
const CLOCKS_APART_MS = 5;
const TAKEOVER_MARGIN_MS = 2_000;

/** The numbers that the targets are about. */
export function measure({ limit, sent, arrived, bans, takeovers }: DeskObservations): DeskMeasures {
  const ways = arrived.map(({ tookMs }) => tookMs);
  // Where nothing arrived there is no spread, and nothing to judge.
  const spreadMs = ways.length === 0 ? Infinity : Math.ceil(ways.reduce((a, b) => Math.max(a, b)) - ways.reduce((a, b) => Math.min(a, b)));
  const longest = (after: Takeover['after']): number => Math.max(0, ...takeovers.filter((one) => one.after === after).map(({ ms }) => ms));
  return {
    requests: sent.length,
    mostInAWindow: mostIn(sent, limit.perMs),
    spreadMs,
    mostAtVenue: mostIn(arrived, Math.max(1, limit.perMs - spreadMs)),
    banObeyedMs: bans.map(({ toldAt, forMs }) => lastWithin(sent, toldAt, toldAt + forMs - CLOCKS_APART_MS)),
    takeoverMs: { killed: longest('killed'), stopped: longest('stopped') },
  };
}

/** What is wrong with a run, in words; empty where all was kept, and something was tried. */
export function judge(observed: DeskObservations): readonly string[] {
  const { limit, leaseMs, bans, takeovers } = observed;
  const { mostInAWindow, spreadMs, mostAtVenue, banObeyedMs, takeoverMs } = measure(observed);
  const wrong: string[] = [];
  const isOver = (what: string, units: number): void => {
    if (units > limit.units) wrong.push(`${units} units ${what} within a window of ${limit.units}`);
  };
  isOver('were sent', mostInAWindow);
  isOver(`arrived, at ways that differ by ${spreadMs} ms,`, mostAtVenue);
  // Else the window at the venue would be so short that nothing could exceed it.
  if (spreadMs > limit.perMs / 2)
    wrong.push(`ways to the venue differ by ${spreadMs} ms, so that a window of ${limit.perMs} ms can't be judged there`);
  for (const [i, ms] of banObeyedMs.entries())
    if (ms > BAN_OBEYED_MS) wrong.push(`ban ${i + 1} was obeyed by all after ${ms.toFixed(1)} ms, later than ${BAN_OBEYED_MS}`);
  const longest = Math.max(takeoverMs.killed, takeoverMs.stopped);
  if (longest > leaseMs + TAKEOVER_MARGIN_MS) wrong.push(`a takeover took ${Math.round(longest)} ms, longer than the lease of ${leaseMs} ms and 2 s`);
  if (mostInAWindow < limit.units / 2) wrong.push(`at most ${mostInAWindow} units were sent in a window of ${limit.units}: the limit was not tried`);
  if (bans.length === 0) wrong.push('no ban was tried');
  if (takeovers.length === 0) wrong.push('no takeover was tried');
  return wrong;
}

/** From the beginning until the last that was sent before the end; 0 where nothing was. */
function lastWithin(sent: readonly Spent[], from: number, to: number): number {
  return sent.reduce((last, { at }) => (at > from && at < to ? Math.max(last, at - from) : last), 0);
}

/** The most units in any window. */
export function mostIn(spent: readonly Spent[], perMs: number): number {
  const sorted = [...spent].sort((a, b) => a.at - b.at);
  let [most, sum, from] = [0, 0, 0];
  for (const { at, units } of sorted) {
    sum += units;
    while ((sorted[from] as Spent).at <= at - perMs) sum -= (sorted[from++] as Spent).units;
    most = Math.max(most, sum);
  }
  return most;
}
