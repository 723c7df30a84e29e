import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { createVenueKit } from '../../../src/kit/create-venue-kit.js';

const file = (content: unknown): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'venuekit-tuning-')), 'options.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

describe('the tuning of a kit', () => {
  it('reaches the parts', async () => {
    const clock = new ManualClock();
    await using kit = await createVenueKit({ clock, tuning: { fetcher: { concurrency: 2 } } });
    const work = Promise.all([1, 2, 3].map(() => kit.fetcher.run({ input: 0, run: () => clock.sleep(10) })));
    await clock.advance(1);
    expect(kit.fetcher.stats()).toMatchObject({ running: 2, queued: 1 });
    await clock.advance(30);
    await work;
  });

  it('takes the file before the code, member by member', async () => {
    const optionsFile = file({ schema: 'venuekit.tuning/1', marketData: { kinds: { quote: { ttlMs: 250 } } }, fetcher: { concurrency: 3 } });
    const tuning = {
      marketData: { kinds: { quote: { ttlMs: 900, prefetch: 'off' }, book: { ttlMs: 100 } }, maxEntries: 50 },
      fetcher: { concurrency: 9 },
    } as const;
    await using kit = await createVenueKit({ tuning, optionsFile });
    expect(kit.tuning).toMatchObject({
      marketData: { kinds: { quote: { ttlMs: 250, prefetch: 'off' }, book: { ttlMs: 100 } }, maxEntries: 50 },
      fetcher: { concurrency: 3, retry: { max: 5 } },
    });
  });

  it.each([
    ['{', 'is no JSON'],
    [{ fetcher: {} }, 'must have the schema venuekit.tuning/1'],
    [{ schema: 'venuekit.tuning/2' }, 'must have the schema venuekit.tuning/1'],
  ])('refuses the file %j by its name', async (content, why) => {
    const optionsFile = file(content);
    await expect(createVenueKit({ optionsFile })).rejects.toMatchObject({
      code: 'OPTIONS_FILE',
      message: expect.stringContaining(`optionsFile ${optionsFile} ${why}`),
    });
  });

  it('refuses a file that is not there, and options that do not exist', async () => {
    await expect(createVenueKit({ optionsFile: '/nowhere/options.json' })).rejects.toMatchObject({ code: 'OPTIONS_FILE' });
    await expect(createVenueKit({ tuning: { fetcher: { concurency: 3 } } as never })).rejects.toThrow('did you mean "concurrency"?');
    await expect(createVenueKit({ tuning: { pool: {} } as never })).rejects.toThrow('did you mean "pools"?');
    await expect(createVenueKit({ optionsFile: file({ schema: 'venuekit.tuning/1', fetcher: { concurrency: 0 } }) })).rejects.toThrow(
      'concurrency must be a whole number of 1 or more, got 0',
    );
  });
});
