import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/random.js';
import { ClientOrderIds } from '../../../src/trading/client-order-ids.js';

const NOW = 1_790_000_000_000;
const VENUES = {
  binance: { maxLength: 36, pattern: /^[.A-Z:/a-z0-9_-]{1,36}$/ },
  alpaca: { maxLength: 128, pattern: /^.{1,128}$/ },
  kraken: { maxLength: 18, pattern: /^[a-z0-9]{1,18}$/ },
  capitals: { maxLength: 32, pattern: /^[A-Z0-9]+$/g },
  uuid: { maxLength: 36, pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/ },
  digits: { maxLength: 32, pattern: /^\d+$/ },
};

describe('ClientOrderIds', () => {
  for (const [venue, { maxLength, pattern }] of Object.entries(VENUES)) {
    it(`makes ids that ${venue} takes, none twice, over restarts at the same moment with the same dice`, () => {
      const made = new Set<string>();
      const fits = new RegExp(pattern.source);
      for (let epoch = 1; epoch <= 20; epoch++) {
        const ids = new ClientOrderIds({ maxLength, pattern, unique: 'open_orders' }, seededRandom(1));
        ids.begin(epoch);
        for (let i = 0; i < 500; i++) {
          const id = ids.next(NOW);
          expect(id.length).toBeLessThanOrEqual(maxLength);
          expect(id).toMatch(fits);
          made.add(id);
        }
      }
      expect(made.size).toBe(20 * 500);
    });
  }

  it('says at once that no unique id fits', () => {
    expect(() => new ClientOrderIds({ maxLength: 6, pattern: /^[a-z0-9]+$/, unique: 'open_orders' }, seededRandom(1))).toThrow(
      /capabilities\.clientId.*at most 6/,
    );
  });
});
