import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MetricStore } from '../../contracts/metric-store.js';
import { systemClock } from '../../core/clock.js';
import type { VenueKit } from '../../kit/venue-kit.js';
import { SimulatedVenue, simulatedBroker } from '../../testing/index.js';
import { type Check, figure } from '../check.js';
import type { CertificationContext } from '../context.js';
import { portableOptions, venueLike } from '../trials/trial.js';

const SERIES = 30;
const HOURS = 14;
/** Few at first, for the ages; then an hour as a kit writes it, for what a point costs. */
const EVERY_MS = { first: 300_000, lastHour: 1_000 };
const HOUR_MS = 3_600_000;
/** The longest that each second is kept; afterwards minutes and hours must do. */
const LONGEST_RAW_HOURS = 12;
const MOST_SHARE_OF_DISK = 0.1;
/** A store with few points has not compressed any yet, and most of its file is not theirs. */
const FEW_POINTS = 100_000;
const MOST_BYTES_A_POINT = 16;

/** What is measured survives a restart, and does not fill the disk. */
export const retention: Check = {
  id: 'production.retention',
  category: 'production',
  critical: false,
  async run(context) {
    const { options } = context.host;
    if (options.store !== undefined) return ofTheHost(context);
    if (options.dataDir === undefined)
      return {
        passed: false,
        measured: 'metrics in memory',
        required: 'a dataDir or a store',
        why: 'Without either nothing that was measured is left after a restart.',
      };
    const folder = await mkdtemp(join(tmpdir(), 'venuekit-certify-'));
    try {
      return await inFolder(context, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function inFolder(context: CertificationContext, folder: string): ReturnType<Check['run']> {
  const { ground } = context;
  const make = async (): Promise<VenueKit> => {
    const { options } = ground;
    const venue = simulatedBroker(new SimulatedVenue(venueLike(options.broker)));
    return ground.create({
      ...portableOptions(options),
      dataDir: folder,
      ...(options.broker === undefined ? {} : { broker: venue }),
      ...(options.marketData === undefined ? {} : { marketData: venue }),
    });
  };
  // Never started: neither orders nor metrics of its own come in between.
  const first = await make();
  const series = Array.from({ length: SERIES }, (_, i) => ({ name: 'venuekit_certification_probe', labels: { probe: String(i) } }));
  const begin = Date.UTC(2024, 0, 1);
  let ticks = 0;
  const put = async (from: number, to: number, everyMs: number): Promise<void> => {
    for (let t = from; t < to; t += everyMs) {
      const values = Float64Array.from(series, (_, i) => 100 + i + Math.sin(ticks / 50 + i));
      await first.store.append({ t, series, values });
      ticks++;
      ground.signal.throwIfAborted();
    }
  };
  const end = begin + HOURS * HOUR_MS;
  await put(begin, end - HOUR_MS, EVERY_MS.first);
  await put(end - HOUR_MS, end, EVERY_MS.lastHour);
  await first.close();
  const second = await make();
  try {
    // What the log of the last minutes took beside it is written away.
    const { bytes } = await second.store.stats();
    const kept = await second.store.query({ metric: 'venuekit_certification_probe', match: { probe: '0' }, from: begin, to: end });
    const minutes = await second.store.query({
      metric: 'venuekit_certification_probe',
      match: { probe: '0' },
      from: begin,
      to: end,
      stepMs: 60_000,
      agg: 'avg',
    });
    const oldest = kept[0]?.t[0];
    const rawHours = oldest === undefined ? 0 : (end - oldest) / HOUR_MS;
    const minutesHours = minutes[0]?.t[0] === undefined ? 0 : (end - minutes[0].t[0]) / HOUR_MS;
    const own = (await context.host.kit.store.stats()).series;
    // For the host's own series, and for as long as raw ticks are kept.
    const perPoint = bytes / (SERIES * ticks);
    const projected = perPoint * Math.max(own, SERIES) * rawHours * 3_600;
    const { bavail, bsize } = await statfs(folder);
    const passed = kept.length > 0 && rawHours <= LONGEST_RAW_HOURS && minutesHours > rawHours && projected <= MOST_SHARE_OF_DISK * bavail * bsize;
    return {
      passed,
      measured: `raw ticks of ${figure(rawHours)} h and minutes of ${figure(minutesHours)} h left of ${HOURS} h after a restart, ${figure(perPoint)} bytes a point; ${figure(projected / 1e6)} MB of raw ticks for ${own} series`,
      required: `raw ticks of at most ${LONGEST_RAW_HOURS} h, minutes of more, at most ${100 * MOST_SHARE_OF_DISK} % of the free disk`,
      why: `${HOURS} hours of ticks were given to the store of a kit with the same options in a folder of its own, which was then closed and opened again.`,
    };
  } finally {
    await second.close();
  }
}

/**
 * A store that was handed in is not written to: it must say in which file it is and what it drops, what it holds must agree with
 * that, and what it will hold must fit on the disk.
 */
async function ofTheHost({ host }: CertificationContext): ReturnType<Check['run']> {
  const { store } = host.kit;
  const { path, retention } = store;
  const { bytes, points, series } = await store.stats();
  const held = `${figure(bytes / 1e6)} MB for ${points} points of ${series} series`;
  const required = `a file, a retention of at most ${LONGEST_RAW_HOURS} h of raw ticks and more of minutes, nothing older held, at most ${100 * MOST_SHARE_OF_DISK} % of the free disk`;
  const why =
    'The store was handed in, so it was only read: what it says of itself (path, retention), how old the oldest raw tick of the process is that it holds, and how large it grows at the bytes a point that it has now (16, where it holds few).';
  const missing = [...(path === undefined ? ['in which file it is (path)'] : []), ...(retention === undefined ? ['what it drops (retention)'] : [])];
  if (path === undefined || retention === undefined)
    return { passed: false, measured: `it does not say ${missing.join(' or ')}; ${held}`, required, why };
  const rawHours = retention.rawMs / HOUR_MS;
  const heldHours = await rawHoursIn(store, retention.rawMs);
  const perPoint = points < FEW_POINTS ? MOST_BYTES_A_POINT : bytes / points;
  const full = Math.min(retention.maxBytes ?? Infinity, perPoint * series * (retention.rawMs / 1_000));
  const { bavail, bsize } = await statfs(dirname(path));
  // What is too old goes with each hour that is over.
  const isDropped = heldHours <= rawHours + 2;
  return {
    passed:
      rawHours <= LONGEST_RAW_HOURS &&
      retention.minuteMs > retention.rawMs &&
      isDropped &&
      Math.max(bytes, full) <= MOST_SHARE_OF_DISK * (bytes + bavail * bsize),
    measured: `raw ticks kept for ${figure(rawHours)} h, minutes for ${figure(retention.minuteMs / HOUR_MS)} h; raw ticks of ${figure(heldHours)} h held, ${held}, ${figure(full / 1e6)} MB of raw ticks when it is full`,
    required,
    why,
  };
}

/** How far back the raw ticks of the process reach that are held; looked for no further than ten times as far as they should. */
async function rawHoursIn(store: MetricStore, rawMs: number): Promise<number> {
  const now = systemClock.now();
  const span = { metric: 'venuekit_process_uptime_seconds', from: now - 10 * rawMs - 48 * HOUR_MS, to: now + HOUR_MS };
  const [oldest, newest] = (await store.query(span)).reduce<readonly [number, number]>(
    ([first, last], { t }) => [Math.min(first, t[0] ?? Infinity), Math.max(last, t.at(-1) ?? -Infinity)],
    [Infinity, -Infinity],
  );
  return newest > oldest ? (newest - oldest) / HOUR_MS : 0;
}
