import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VenueKit } from '../../kit/venue-kit.js';
import { SimulatedVenue, simulatedBroker } from '../../testing/index.js';
import { type Check, figure } from '../check.js';
import type { CertificationContext } from '../context.js';
import { portableOptions, venueLike } from '../trials/trial.js';

const SERIES = 30;
const EVERY_MS = 60_000;
const HOURS = 14;
const HOUR_MS = 3_600_000;
/** The longest that each second is kept; afterwards minutes and hours must do. */
const LONGEST_RAW_HOURS = 12;
const MOST_SHARE_OF_DISK = 0.1;

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
  const ticks = (HOURS * HOUR_MS) / EVERY_MS;
  for (let tick = 0; tick < ticks; tick++) {
    const values = Float64Array.from(series, (_, i) => 100 + i + Math.sin(tick / 50 + i));
    await first.store.append({ t: begin + tick * EVERY_MS, series, values });
    ground.signal.throwIfAborted();
  }
  const end = begin + (ticks - 1) * EVERY_MS;
  const { bytes } = await first.store.stats();
  await first.close();
  const second = await make();
  try {
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
    // What one hour of each second costs at this density, for the host's own series and for as long as raw ticks are kept.
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

/** A store that was handed in is not written to. */
async function ofTheHost({ host }: CertificationContext): ReturnType<Check['run']> {
  const { bytes, points, series } = await host.kit.store.stats();
  const { bavail, bsize } = await statfs(tmpdir());
  return {
    passed: bytes <= MOST_SHARE_OF_DISK * bavail * bsize,
    measured: `${figure(bytes / 1e6)} MB for ${points} points of ${series} series`,
    required: `at most ${100 * MOST_SHARE_OF_DISK} % of the free disk`,
    why: 'The store was handed in, so it was only asked how large it is: that it drops what is old is for who made it to see to (retention of SqliteMetricStore.open).',
  };
}
