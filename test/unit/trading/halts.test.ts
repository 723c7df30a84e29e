import { describe, expect, it } from 'vitest';
import { isSettled } from '../../../src/contracts/journal-records.js';
import type { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { isHaltKey } from '../../../src/trading/halts.js';
import { aMarketOrder, givenAStartedClient, settle } from './given-trading.js';

type Given = Awaited<ReturnType<typeof givenAStartedClient>>;

async function haltsInTheJournal({ journal }: Given): Promise<{ readonly open: number; readonly ids: readonly string[] }> {
  let open = 0;
  const ids: string[] = [];
  for await (const records of (journal as MemoryOrderJournal).unresolved('main')) {
    const id = records[0]?.intentId ?? '';
    if (!isHaltKey(id, 'main')) continue;
    ids.push(id);
    if (!isSettled(records)) open += records.length;
  }
  return { open, ids };
}

describe('halts in the journal', () => {
  it('found by review: are carried over to a fresh id now and then, so that the journal can let go of the old ones', async () => {
    const given = await givenAStartedClient();
    const { clock, client, journal } = given;
    for (let i = 0; i < 500; i++) await settle(clock, client.halt(i % 2 === 0 ? 'halted' : 'active', `look ${i}`));
    await clock.advance(1_000);
    const { open, ids } = await haltsInTheJournal(given);
    expect(open).toBeLessThanOrEqual(66);
    expect(ids).toHaveLength(1);
    await settle(clock, client.close());
    const lease = await journal.acquire('main', 'test', 1_000);
    expect(await journal.compact('main', clock.now() + 1, lease.epoch)).toBeGreaterThan(5);
    expect(await journal.byIntent('@halt/main')).toHaveLength(1);
  });

  for (const halts of [1, 63, 64, 65, 130, 200]) {
    it(`hold over a restart after ${halts} of them, for the account and for each symbol`, async () => {
      const { clock, client, makeClient } = await givenAStartedClient();
      await settle(clock, client.halt('halted', 'news', { symbol: 'ETH/USDT' }));
      for (let i = 0; i < halts; i++) await settle(clock, client.halt(i % 2 === 0 ? 'active' : 'halted', `look ${i}`, { symbol: 'BTC/USDT' }));
      await settle(clock, client.close());
      const next = makeClient();
      await settle(clock, next.start());
      await expect(settle(clock, next.place(aMarketOrder({ symbol: 'ETH/USDT', qty: '0.1' })))).rejects.toMatchObject({
        code: 'HALTED',
        message: 'Trading of ETH/USDT is halted: news',
      });
      const isHalted = halts % 2 === 0;
      const placing = settle(clock, next.place(aMarketOrder()));
      if (isHalted) await expect(placing).rejects.toMatchObject({ code: 'HALTED' });
      else expect((await placing).view.intent.symbol).toBe('BTC/USDT');
      // What is said after the restart counts, whatever the ones before it were numbered.
      await settle(clock, next.halt('active', 'over', { symbol: 'ETH/USDT' }));
      await settle(clock, next.halt('halted', 'again'));
      await settle(clock, next.close());
      const last = makeClient();
      await settle(clock, last.start());
      await expect(settle(clock, last.place(aMarketOrder()))).rejects.toMatchObject({ message: 'Trading is halted: again' });
    });
  }

  it('of which all have ended are not taken for any that holds, and one that follows does', async () => {
    const { clock, client, makeClient } = await givenAStartedClient();
    for (let i = 0; i < 70; i++) await settle(clock, client.halt(i % 2 === 0 ? 'halted' : 'active', `look ${i}`));
    await settle(clock, client.close());
    const second = makeClient();
    await settle(clock, second.start());
    expect((await settle(clock, second.submit(aMarketOrder()))).state).toBe('filled');
    await settle(clock, second.halt('halted', 'the first since'));
    await settle(clock, second.close());
    const third = makeClient();
    await settle(clock, third.start());
    await expect(settle(clock, third.place(aMarketOrder()))).rejects.toMatchObject({ message: 'Trading is halted: the first since' });
  });
});
