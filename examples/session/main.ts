import { join } from 'node:path';
import ccxt from 'ccxt';
import { createVenueKit, seededRandom, systemClock, type VenueKit } from 'venuekit';
import { toAdapter } from 'venuekit/ccxt';
import type { ServedVenue, SimulatedVenue } from 'venuekit/testing';
import { type BotLog, type Desk, runBot } from './bot.js';
import { VISIBILITY_LAG_MS } from './conditions.js';
import { judge } from './judge.js';
import { Progress } from './progress.js';
import { RawDesk } from './raw-desk.js';
import { loadSession } from './recorded-session.js';
import { type Report, type Side, sideOf, table, writeReport } from './report.js';
import { openSessionStore, sessionDashboard, writePictures } from './session-pictures.js';
import { readSettings, type Settings } from './settings.js';
import { openVenue, serve, speedUp } from './venue.js';
import { intentIdOf, VenueKitDesk } from './venuekit-desk.js';

/** Both SDKs give up on a request after this long; ccxt's own default of 10 s would outlast the run. */
const TIMEOUT_MS = 1_000;
/** The venue refuses an order that arrives later than this after it was signed. */
const FENCE_MS = 1_000;

const stop = new AbortController();
/** The logs of both sides as they grow, for the progress and for an interruption. */
const logs = new Map<'raw' | 'venuekit', BotLog>();

async function main(settings: Settings): Promise<number> {
  const bars = loadSession(settings.data);
  const durationMs = settings.duration * 1000;
  const speed = speedUp(bars, durationMs);
  console.log(
    `${bars.length} recorded minute bars, ${new Date(bars[0]!.t).toISOString().slice(0, 16)} to ${new Date(bars.at(-1)!.t).toISOString().slice(11, 16)} UTC, ` +
      `${Math.round(speed)}× as fast as they were traded; ${(settings.faults * 100).toFixed(1)} % of requests fail; seed ${settings.seed}.`,
  );
  const venues = [openVenue(settings.seed, bars, speed, settings.faults), openVenue(settings.seed, bars, speed, settings.faults)] as const;
  const served = [await serve(venues[0], settings.port), await serve(venues[1], settings.port === 0 ? 0 : settings.port + 1)] as const;
  const progress = new Progress(() => systemClock.monotonic());
  const until = systemClock.monotonic() + durationMs;
  const show = (): void => progress.show(`${Math.max(0, Math.ceil((until - systemClock.monotonic()) / 1000))} s left · ${soFar()}`);
  try {
    const [raw, { side: venuekit, metrics, pictures }] = await Promise.all([
      runRaw(settings, venues[0], served[0], show),
      runVenueKit(settings, venues[1], served[1], show),
    ]);
    progress.end();
    const report: Report = { seed: settings.seed, durationMs, raw, venuekit };
    console.log(`\n${table(report)}\n`);
    const written = writeReport(settings.out, report, metrics);
    console.log(`Written to ${written.report}, and the metrics of the venuekit side to ${written.metrics}`);
    console.log(`What it looked like: ${pictures.join(', ')}`);
    return 0;
  } catch (error) {
    // One side failed: the other must not go on against a venue that is about to close.
    stop.abort(error);
    throw error;
  } finally {
    await Promise.all(served.map((one) => one.close()));
  }
}

function newExchange(served: ServedVenue) {
  return served.connect(new ccxt.binance({ timeout: TIMEOUT_MS }));
}

function bot(side: 'raw' | 'venuekit', settings: Settings, desk: Desk, show: () => void): Promise<BotLog> {
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

async function runRaw(settings: Settings, venue: SimulatedVenue, served: ServedVenue, show: () => void): Promise<Side> {
  const desk = new RawDesk(newExchange(served), (ms) => systemClock.sleep(ms, stop.signal));
  const log = await bot('raw', settings, desk, show);
  const intentOf = (id: string): number | undefined => /^raw-(\d+)-\d+$/.exec(id)?.slice(1).map(Number)[0];
  // What the venue refused by its own rules is no loss: it said so.
  const refused = (order: number): boolean => /InsufficientFunds|InvalidOrder/.test(log.failedOrders.get(order) ?? '');
  return sideOf(log, judge(log, venue.orders(), intentOf, refused), served.stats(), { cacheHitRate: 0, metricSeries: { scraped: 0, kept: 0 } });
}

async function runVenueKit(
  settings: Settings,
  venue: SimulatedVenue,
  served: ServedVenue,
  show: () => void,
): Promise<{ readonly side: Side; readonly metrics: string; readonly pictures: readonly string[] }> {
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
  const log = await bot('venuekit', settings, new VenueKitDesk(kit), show);
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

function soFar(): string {
  const side = (name: 'raw' | 'venuekit'): string => {
    const log = logs.get(name);
    return log === undefined
      ? `${name} starting`
      : `${name} ${log.readLatenciesMs.length} reads, ${log.orders.length} orders, ${log.readErrors.length + log.failedOrders.size} errors`;
  };
  return `${side('raw')} · ${side('venuekit')}`;
}

let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
  stop.abort(new Error('interrupted'));
});

try {
  process.exitCode = await main(readSettings(process.argv));
} catch (error) {
  if (interrupted) {
    console.error(`\nInterrupted; everything is closed. Until then: ${soFar()}`);
    process.exitCode = 130;
  } else {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
