import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteOrderJournal } from '../../src/stores/sqlite/order-journal.js';
import { SimulatedVenue, simulatedBroker } from '../../src/testing/index.js';
import { ResilientTradingClient } from '../../src/trading/resilient-trading-client.js';
import { audit } from './kill/audit.js';
import { runKillRounds } from './kill/kill-rounds.js';

describe('bots killed with SIGKILL at random moments', () => {
  it('leave no order doubled, orphaned or lost behind', async () => {
    const result = await runKillRounds({ rounds: 10, seed: 20_261, longestLifeMs: 2_500, leastDurable: 12 });
    expect(result).toMatchObject({ duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, killed: 10, findings: [] });
    // Otherwise nothing has been tried.
    expect(result.venueOrders).toBeGreaterThan(20);
  }, 120_000);
});

describe('the audit of venue and journal', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'venuekit-audit-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  async function auditFile(venue: SimulatedVenue, path: string, durable: ReadonlySet<string>) {
    await using journal = await SqliteOrderJournal.open({ path, readOnly: true });
    return await audit(venue, journal, durable);
  }

  const market = { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.01' } as const;

  /** A venue and a journal that agree on one filled order. */
  async function givenEqualBooks() {
    const path = join(directory, 'orders.db');
    const venue = new SimulatedVenue({ seed: 1 });
    await using journal = await SqliteOrderJournal.open({ path });
    await using client = new ResilientTradingClient({ adapter: simulatedBroker(venue), journal });
    await client.start();
    const view = await client.submit({ ...market, intentId: 'a' });
    return { venue, path, clientOrderId: view.clientOrderId, durable: new Set(['a']) };
  }

  it('finds nothing where the two agree', async () => {
    const { venue, path, durable } = await givenEqualBooks();
    expect(await auditFile(venue, path, durable)).toMatchObject({ duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, intents: 1, venueOrders: 1 });
  });

  it('finds a second order of one intent, as a client makes that sends again without proof', async () => {
    const { venue, path, durable, clientOrderId } = await givenEqualBooks();
    venue.placeExternal(market, { clientOrderId });
    expect(await auditFile(venue, path, durable)).toMatchObject({ duplicates: 1, orphans: 1, wronglyFilled: 1 });
  });

  it('finds an order that the journal does not know', async () => {
    const { venue, path, durable } = await givenEqualBooks();
    venue.placeExternal(market);
    expect(await auditFile(venue, path, durable)).toMatchObject({ duplicates: 0, orphans: 1, lost: 0, wronglyFilled: 0 });
  });

  it('finds an intent that was acknowledged and is gone, and one that is in doubt', async () => {
    const { venue, path, durable } = await givenEqualBooks();
    expect(await auditFile(venue, path, new Set([...durable, 'b']))).toMatchObject({ lost: 1, findings: ['lost: b was acknowledged'] });
    await using journal = await SqliteOrderJournal.open({ path });
    const { epoch } = await journal.acquire('main', 'test', 60_000);
    const body = { intent: { ...market, intentId: 'c' }, clientOrderId: 'c-1', payloadHash: 'h' };
    await journal.append([
      { account: 'main', intentId: 'c', at: 1, epoch, type: 'prepared', body },
      { account: 'main', intentId: 'c', at: 1, epoch, type: 'sending', body: { attempt: 1, venueNow: 1 } },
    ]);
    expect(await auditFile(venue, path, durable)).toMatchObject({ lost: 1, findings: ['lost: c is sending'] });
  });
});
