import type { Check } from '../check.js';

/** Faults of the venue that pass do not reach the bot. */
export const errors: Check = {
  id: 'performance.errors',
  category: 'performance',
  critical: true,
  async run(context) {
    const { withKit, without, duplicates, struck } = await context.session();
    const failed = ({ reads, orders }: typeof withKit): number => [...reads, ...orders].filter(({ error }) => error !== undefined).length;
    const calls = withKit.reads.length + withKit.orders.length;
    const [first] = [...withKit.reads, ...withKit.orders].filter(({ error }) => error !== undefined);
    return {
      passed: failed(withKit) === 0 && calls > 0 && struck > 0,
      measured: `${failed(withKit)} of ${calls} calls failed, ${struck} faults; without the kit ${failed(without)}, and ${duplicates.without} orders doubled by its retries${first === undefined ? '' : `; the first: ${first.error ?? ''}`}`,
      required: '0 with the kit, of at least one fault',
      why: '3 % of the requests were lost, reset, or answered with 503 or a page of HTML, on two venues of the same seed: one behind the kit, one behind the retry loop that bots write.',
    };
  },
};
