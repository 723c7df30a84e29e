import { describe, expect, it } from 'vitest';
import { DETECTORS } from '../../../src/analyzer/detectors/detectors.js';
import { isAsExpected, judge } from '../../workload/planted/judge.js';
import { PLANTED } from '../../workload/planted/planted.js';

/** The quick ones; all of them over 20 seeds: `npm run bench -- analyzer`. */
const SHORT = ['pool-too-large', 'concurrency-too-high', 'parse-on-main-thread'];

describe('planted problems', () => {
  it('has one for every detector', () => {
    expect(PLANTED.map(({ id }) => id).sort()).toEqual(DETECTORS.map(({ id }) => id).sort());
  });

  it.each(SHORT)(
    '%s is found where it is and not where it is not, and its change moves the metric as estimated',
    async (id) => {
      const judged = await judge(PLANTED.find((planted) => planted.id === id)!, 101);
      expect(judged).toMatchObject({ isFound: true, isFalse: false, others: [] });
      expect(isAsExpected(judged), JSON.stringify(judged)).toBe(true);
    },
    60_000,
  );
});
