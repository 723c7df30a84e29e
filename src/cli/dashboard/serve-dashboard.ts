import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { systemClock } from '../../core/clock.js';
import { createDashboard } from '../../dashboard/index.js';
import { SqliteMetricStore } from '../../stores/sqlite/metric-store.js';
import { CommandFailure, type ExitCode, type Terminal } from '../terminal.js';
import { recordedRange } from './recorded-range.js';

/** Options of `venuekit dashboard`; times in epoch ms. */
export interface ServeDashboardOptions {
  readonly port: number;
  readonly host: string;
  readonly title?: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: boolean;
}

// A store whose last record is older is of a bot that has ended: its page opens where there is something to see.
const STILL_RUNNING_MS = 60_000;

/** Serves until interrupted; says first where. */
export async function serveDashboard(file: string, options: ServeDashboardOptions, terminal: Terminal): Promise<ExitCode> {
  const { port, host, title = basename(file), json } = options;
  if (!existsSync(file)) throw new CommandFailure(`There is no file ${file}.`);
  await using store = await SqliteMetricStore.open({ path: file, readOnly: true });
  await using dashboard = createDashboard({ store, title });
  const { url } = await listen();
  const address = new URL(url);
  const range = await rangeOf(store, options, terminal);
  if (range !== undefined) for (const end of ['from', 'to'] as const) address.searchParams.set(end, String(range[end]));
  terminal.out(json === true ? `${JSON.stringify({ url: address.href, ...range })}\n` : `${address.href}\n`);
  terminal.err('The token in the address lets in; keep it to yourself. Stop the server with Ctrl-C.\n');
  await interruption(terminal.signal);
  return 0;

  async function listen(): Promise<{ readonly url: string }> {
    try {
      return await dashboard.listen({ port, host });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE') throw new CommandFailure(`Port ${port} of ${host} is in use; choose another with --port.`);
      if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') throw new CommandFailure(`There is no address ${host} on this machine (--host).`);
      if (code === 'EACCES') throw new CommandFailure(`Port ${port} may not be used; choose one above 1023 with --port.`);
      throw error;
    }
  }
}

async function rangeOf(
  store: SqliteMetricStore,
  { from, to }: ServeDashboardOptions,
  terminal: Terminal,
): Promise<{ readonly from: number; readonly to: number } | undefined> {
  const now = systemClock.now();
  if (from !== undefined) {
    if (from >= (to ?? now)) throw new CommandFailure('--from must be before --to.');
    return { from, to: to ?? now };
  }
  const recorded = await recordedRange(store, to ?? now, terminal.signal);
  if (recorded === undefined) {
    terminal.err('Nothing is recorded in this file so far.\n');
    return undefined;
  }
  if (to === undefined && now - recorded.to < STILL_RUNNING_MS) return undefined;
  terminal.err(`The records end at ${new Date(recorded.to).toISOString()}; the page opens there.\n`);
  return lastDay(recorded);
}

const DAY_MS = 24 * 3_600_000;

/** The last day of what is recorded, with its last second. */
export function lastDay({ from, to }: { readonly from: number; readonly to: number }): { readonly from: number; readonly to: number } {
  return { from: Math.max(from, to - DAY_MS), to: Math.max(to + 1_000, from + 10_000) };
}

// The server keeps the process alive meanwhile.
function interruption(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
