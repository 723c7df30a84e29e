import { join } from 'node:path';
import ccxt from 'ccxt';
import { createVenueKit, seededRandom, systemClock, type VenueKit } from 'venuekit';
import { toAdapter } from 'venuekit/ccxt';
import type { ServedVenue, SimulatedVenue } from 'venuekit/testing';
import { type BotLog, type Desk, runBot } from './bot.js';
import { VISIBILITY_LAG_MS } from './conditions.js';
import { judge } from './judge.js';
import { type Logs, Progress, soFar } from './progress.js';
import { RawDesk } from './raw-desk.js';
import type { RecordedBar } from './recorded-session.js';
import { type Report, type Side, sideOf, table, writeReport } from './report.js';
import { openSessionStore, sessionDashboard, writePictures } from './session-pictures.js';
import type { Settings } from './settings.js';
import { openVenue, serve, speedUp } from './venue.js';
import { intentIdOf, VenueKitDesk } from './venuekit-desk.js';

/** Both SDKs give up on a request after this long; ccxt's own default of 10 s would outlast the run. */
const TIMEOUT_MS = 1_000;
/** The venue refuses an order that arrives later than this after it was signed. */
const FENCE_MS = 1_000;

/** What both sides of the session are run with. */
export interface SessionRun {
  readonly settings: Settings;
  readonly bars: readonly RecordedBar[];
  /** Aborted by Ctrl-C, and where one side fails: the other must not go on against a venue that is about to close. */
  readonly stop: AbortController;
  /** As they grow. */
  readonly logs: Logs;
}

/** Runs the bot on the raw SDK and through venuekit at the same time, each on a venue of its own, and writes what came of it. */
export async function runSession(run: SessionRun): Promise<void> {
  const { settings, bars, stop, logs } = run;
  const durationMs = settings.duration * 1000;
  const speed = speedUp(bars, durationMs);
  console.log(
    `${bars.length} recorded minute bars, ${new Date(bars[0]!.t).toISOString().slice(0, 16)} to ${new Date(bars.at(-1)!.t).toISOString().slice(11, 16)} UTC, ` +
      `${Math.round(speed)}× as fast as they were traded; ${(settings.faults * 100).toFixed(1)} % of requests fail; seed ${settings.seed}.`,
  );
  const venues = [openVenue(settings.seed, bars, speed, settings.faults), openVenue(settings.seed, bars, speed, settings.faults)] as const;
  await using rawServed = await serve(venues[0], settings.port);
  await using kitServed = await serve(venues[1], settings.port === 0 ? 0 : settings.port + 1);
  const progress = new Progress(() => systemClock.monotonic());
  const until = systemClock.monotonic() + durationMs;
  const show = (): void => progress.show(`${Math.max(0, Math.ceil((until - systemClock.monotonic()) / 1000))} s left · ${soFar(logs)}`);
  try {
    const [raw, { side: venuekit, metrics, pictures }] = await Promise.all([
      runRaw(run, venues[0], rawServed, show),
      runVenueKit(run, venues[1], kitServed, show),
    ]);
    progress.end();
    const report: Report = { seed: settings.seed, durationMs, raw, venuekit };
    console.log(`\n${table(report)}\n`);
    const written = writeReport(settings.out, report, metrics);
    console.log(`Written to ${written.report}, and the metrics of the venuekit side to ${written.metrics}`);
    console.log(`What it looked like: ${pictures.join(', ')}`);
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

function newExchange(served: ServedVenue) {
  return served.connect(new ccxt.binance({ timeout: TIMEOUT_MS }));
}

function bot(side: 'raw' | 'venuekit', { settings, stop, logs }: SessionRun, desk: Desk, show: () => void): Promise<BotLog> {
  return runBot({
    desk,
    symbols: settings.symbols,
    random: seededRandom(settings.seed),
    durationMs: settings.duration * 1000,
    signal: stop.signal,
    now: () => systemClock.monotonic(),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    onTick: (log) => {
      logs.set(side, log);
      show();
    },
  });
}

async function runRaw(run: SessionRun, venue: SimulatedVenue, served: ServedVenue, show: () => void): Promise<Side> {
  const desk = new RawDesk(newExchange(served), (ms) => systemClock.sleep(ms, run.stop.signal));
  const log = await bot('raw', run, desk, show);
  const intentOf = (id: string): number | undefined => /^raw-(\d+)-\d+$/.exec(id)?.slice(1).map(Number)[0];
  // What the venue refused by its own rules is no loss: it said so.
  const refused = (order: number): boolean => /InsufficientFunds|InvalidOrder/.test(log.failedOrders.get(order) ?? '');
  return sideOf(log, judge(log, venue.orders(), intentOf, refused), served.stats(), { cacheHitRate: 0, metricSeries: { scraped: 0, kept: 0 } });
}

async function runVenueKit(
  run: SessionRun,
  venue: SimulatedVenue,
  served: ServedVenue,
  show: () => void,
): Promise<{ readonly side: Side; readonly metrics: string; readonly pictures: readonly string[] }> {
  const { settings } = run;
  const adapter = toAdapter(newExchange(served), {
    capabilities: { visibilityLagMs: VISIBILITY_LAG_MS, fence: { maxMs: 60_000, defaultMs: FENCE_MS } },
  });
  await using store = await openSessionStore(settings.out);
  await using dashboard = sessionDashboard(store);
  // Beside the metrics, where `venuekit plan` looks for it.
  const trace = { path: join(settings.out, 'trace.bin') };
  await using kit = await createVenueKit({ broker: adapter, marketData: adapter, store, policy: { timeoutMs: TIMEOUT_MS }, trace });
  if (settings.open === true) console.log(`Live, while it runs: ${(await dashboard.listen()).url}`);
  const from = systemClock.now();
  await kit.start();
  const log = await bot('venuekit', run, new VenueKitDesk(kit), show);
  const { trading, marketData } = kit as Required<VenueKit>;
  const numberOf = new Map(log.orders.map(({ number }) => [trading.order(intentIdOf(number))?.view.clientOrderId, number]));
  const endedWithProof = (order: number): boolean =>
    ['rejected', 'abandoned', 'escalated'].includes(trading.order(intentIdOf(order))?.view.state ?? '');
  const verdicts = judge(log, venue.orders(), (id) => numberOf.get(id), endedWithProof);
  const metrics = kit.metrics.exposition();
  const metricSeries = { scraped: metrics.match(/^[^#\n]/gm)?.length ?? 0, kept: (await kit.store.stats()).series };
  const pictures = await writePictures(dashboard, settings.out, { from, to: systemClock.now() });
  return { side: sideOf(log, verdicts, served.stats(), { cacheHitRate: marketData.stats().hitRate, metricSeries }), metrics, pictures };
}
