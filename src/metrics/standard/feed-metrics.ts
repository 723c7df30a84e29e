import type { Counter, Gauge } from '../../contracts/metrics.js';
import type { Instrumentation } from '../instrumentation.js';

/** The usual interval is judged by so many: a few outages among them do not shift it. */
const GAPS_KEPT = 30;
/** Not the median: readers who ask at about the same time make many short gaps and one long one, again and again. */
const USUAL_SHARE = 0.9;
const MAX_FEEDS = 1_000;

/** A symbol of a feed that has been updated, with its series, so that an update is a few stores. */
interface Feed {
  readonly updates: Counter;
  readonly last: Gauge;
  readonly age: Gauge;
  readonly interval: Gauge;
  /** Milliseconds between updates; the newest takes the place of the oldest. */
  readonly gapsMs: Float64Array;
  gaps: number;
  at: number;
  changed: boolean;
}

/** Feeds: when each was last updated, and how far apart its updates usually are; staleness alarms hold one against the other. */
export function feedMetrics({ metrics, clock, on }: Instrumentation): void {
  const labels = ['feed', 'symbol'] as const;
  const updates = metrics.counter({ name: 'venuekit_feed_updates_total', help: 'Updates of a feed, by symbol.', labels });
  const last = metrics.gauge({ name: 'venuekit_feed_last_update_timestamp_seconds', help: 'When a feed was last updated.', unit: 'seconds', labels });
  const known = new Map<string, Map<string, Feed>>();
  const feeds: Feed[] = [];
  const age = metrics.gauge({
    name: 'venuekit_feed_age_seconds',
    help: 'How long ago a feed was last updated: what staleness alarms watch.',
    unit: 'seconds',
    labels,
    collect: () => {
      const now = clock.now();
      for (const feed of feeds) feed.age.set(Math.max(0, now - feed.at) / 1000);
    },
  });
  const interval = metrics.gauge({
    name: 'venuekit_feed_interval_seconds',
    help: `How far apart the updates of a feed usually are: nine in ten of the last ${GAPS_KEPT} gaps are not longer; 0 before the second update.`,
    unit: 'seconds',
    labels,
    collect: () => {
      for (const feed of feeds) {
        if (!feed.changed) continue;
        feed.changed = false;
        feed.interval.set(usualOf(feed.gapsMs.subarray(0, Math.min(feed.gaps, GAPS_KEPT))) / 1000);
      }
    },
  });

  const introduce = (name: string, symbol: string, at: number): Feed | undefined => {
    if (feeds.length >= MAX_FEEDS) return undefined;
    const by = { feed: name, symbol };
    const feed: Feed = {
      updates: updates.with(by),
      last: last.with(by),
      age: age.with(by),
      interval: interval.with(by),
      gapsMs: new Float64Array(GAPS_KEPT),
      gaps: 0,
      at,
      changed: false,
    };
    feeds.push(feed);
    let symbols = known.get(name);
    if (symbols === undefined) known.set(name, (symbols = new Map<string, Feed>()));
    symbols.set(symbol, feed);
    return feed;
  };
  on('feed.update', ({ feed: name, symbol, at }) => {
    const before = known.get(name)?.get(symbol);
    const feed = before ?? introduce(name, symbol, at);
    if (feed === undefined) return updates.with({ feed: name, symbol }).inc();
    feed.updates.inc();
    // A clock that was set back says nothing of the feed.
    if (before !== undefined && at >= feed.at) {
      feed.gapsMs[feed.gaps++ % GAPS_KEPT] = at - feed.at;
      feed.changed = true;
    }
    feed.at = at;
    feed.last.set(at / 1000);
  });
}

function usualOf(gaps: Float64Array): number {
  const sorted = gaps.slice().sort();
  // Of few gaps the longest may be an outage.
  const index = Math.min(Math.ceil(USUAL_SHARE * sorted.length) - 1, Math.max(0, sorted.length - 2));
  return sorted[index] as number;
}
