import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificationReport, certify, type KitModule } from '../../certification/index.js';
import { isVenueKitError } from '../../core/errors.js';
import type { VenueKit } from '../../kit/venue-kit.js';
import { ownHost } from '../host/own-host.js';
import { readHostFile } from '../host/read-host-file.js';
import { startedKit } from '../host/started-kit.js';
import { CommandFailure, type ExitCode, type Terminal, WrongUsage } from '../terminal.js';
import { certificationText } from './certification-text.js';
import { type ReportFiles, writeReports } from './write-reports.js';

/** Options of `venuekit certify`. */
export interface CertifyCommandOptions extends ReportFiles {
  readonly options?: string;
  readonly seed: number;
  /** Seconds. */
  readonly duration: number;
  /** Seconds. */
  readonly within: number;
  readonly symbol: string;
  readonly drill: boolean;
  readonly only?: readonly string[];
  readonly json?: boolean;
}

/** Makes the kit, certifies it and prints what came of it. */
export async function certifyKit(options: CertifyCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const folder = await mkdtemp(join(tmpdir(), 'venuekit-certify-'));
  try {
    const given = options.options === undefined ? undefined : await readHostFile(options.options);
    await using host = await ownHost(given?.options, folder);
    await using kit = await startedKit(given, host);
    const report = await run(kit, given?.create, options, terminal);
    await writeReports(report, options, terminal);
    terminal.out(options.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : certificationText(report));
    // A part of the checks has no level; it is well when all of it passed.
    const isWell =
      options.only === undefined ? report.ready : report.notMeasured.length === 0 && report.categories.every(({ score }) => score === 100);
    return isWell && !terminal.signal.aborted ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(kit: VenueKit, create: KitModule | undefined, options: CertifyCommandOptions, terminal: Terminal): Promise<CertificationReport> {
  const { seed, duration, within, symbol, drill, only } = options;
  try {
    return await certify(kit, {
      seed,
      durationMs: duration * 1_000,
      withinMs: within * 1_000,
      symbol,
      drill,
      signal: terminal.signal,
      onProgress: (done, total, id) => terminal.err(`${done} of ${total} checks: ${id}\n`),
      ...(create === undefined ? {} : { create }),
      ...(only === undefined ? {} : { only }),
    });
  } catch (error) {
    if (error instanceof RangeError) throw new WrongUsage(`--${error.message}`);
    if (isVenueKitError(error)) throw new CommandFailure(error.message, { cause: error });
    throw error;
  }
}
