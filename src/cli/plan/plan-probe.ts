import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeKit } from '../../analyzer/index.js';
import { ownHost } from '../host/own-host.js';
import { readHostFile } from '../host/read-host-file.js';
import { startedKit } from '../host/started-kit.js';
import { CommandFailure, type ExitCode, type Terminal } from '../terminal.js';
import { type ShownPlan, showPlan } from './show-plan.js';

/** Options of `venuekit plan --options`. */
export interface PlanProbeOptions extends ShownPlan {
  readonly options: string;
  /** Seconds. */
  readonly duration: number;
  readonly symbols: readonly string[];
  readonly seed: number;
}

const SHOWN_EVERY_S = 10;

/** Reads through a kit of the host's options for a while, and prints what that shows; nothing is ordered. */
export async function planProbe(options: PlanProbeOptions, terminal: Terminal): Promise<ExitCode> {
  const { duration, symbols, seed } = options;
  const folder = await mkdtemp(join(tmpdir(), 'venuekit-plan-'));
  try {
    const given = await readHostFile(options.options);
    const hasVenue = given.options.marketData !== undefined || given.options.broker !== undefined;
    await using host = await ownHost(given.options, folder);
    if (host.options.marketData === undefined)
      throw new CommandFailure(`${options.options} has no market data (--options): there is nothing to probe.`);
    if (!hasVenue) terminal.err(`${options.options} names no venue: the probe reads from a simulated one\n`);
    terminal.err(`a probe of ${duration} s: quotes and bars of ${symbols.join(', ')} are read, nothing is ordered\n`);
    await using kit = await startedKit(given, host);
    const report = await probeKit(kit, {
      symbols,
      durationMs: duration * 1_000,
      seed,
      signal: terminal.signal,
      ...(host.options.clock === undefined ? {} : { clock: host.options.clock }),
      onProgress: (done, total) => {
        if (done <= duration ? done % SHOWN_EVERY_S === 0 : done === total)
          terminal.err(done <= duration ? `${done} of ${duration} s\n` : `${total - duration} detectors\n`);
      },
    });
    return await showPlan(report, options, terminal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
