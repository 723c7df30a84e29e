import type { Check } from '../check.js';

/** What happens is told on the bus: as many events as there were happenings. */
export const events: Check = {
  id: 'component.events',
  category: 'component',
  critical: false,
  async run(context) {
    const { trial, told, withKit } = await context.session();
    const { options } = context.host;
    const happened: Record<string, readonly [told: number, were: number]> = {
      ...(options.broker === undefined
        ? {}
        : {
            'venue.call of placements': [told.placements, trial.witness.count('place')],
            'order.state of intents': [told.intents, withKit.orders.length],
          }),
      ...(options.marketData === undefined ? {} : { 'cache.read': [told.reads, withKit.reads.length] }),
    };
    const wrong = Object.entries(happened).filter(([, [seen, were]]) => seen !== were);
    return {
      passed: wrong.length === 0,
      measured: Object.entries(happened)
        .map(([what, [seen, were]]) => `${seen} of ${were} ${what}`)
        .join(', '),
      required: 'all of them',
      why: 'Events on the bus of a trial kit were counted beside what reached the venue and what the bot asked for, with a listener among them that throws.',
    };
  },
};
