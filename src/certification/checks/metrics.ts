import type { Check } from '../check.js';

const LEAST_SHARE_OF_SECONDS = 0.95;

/** What the metric store has is what happened. */
export const metrics: Check = {
  id: 'component.metrics',
  category: 'component',
  critical: false,
  async run(context) {
    const { trial, from, to, withKit } = await context.session();
    const { options } = context.host;
    const last = async (metric: string, match: Readonly<Record<string, string>>): Promise<number> => {
      const results = await trial.store.query({ metric, match, from, to });
      return results.reduce((sum, { v }) => sum + (v.at(-1) ?? 0), 0);
    };
    const seconds = (to - from) / 1000;
    const ticks = (await trial.store.query({ metric: 'venuekit_process_uptime_seconds', from, to }))[0]?.t.length ?? 0;
    const parts: string[] = [`${ticks} ticks in ${Math.floor(seconds)} s`];
    let passed = ticks >= LEAST_SHARE_OF_SECONDS * seconds;
    if (options.broker !== undefined) {
      const [kept, were] = [await last('venuekit_venue_calls_total', { operation: 'place' }), trial.witness.count('place')];
      parts.push(`${kept} of ${were} placements`);
      passed &&= kept === were;
    }
    if (options.marketData !== undefined) {
      const [kept, were] = [await last('venuekit_cache_reads_total', {}), withKit.reads.length];
      parts.push(`${kept} of ${were} reads`);
      passed &&= kept === were;
    }
    return {
      passed,
      measured: parts.join(', '),
      required: 'a tick each second, and all of them counted',
      why: 'Counters in the metric store of a trial kit were held against what reached the venue and what the bot asked for.',
    };
  },
};
