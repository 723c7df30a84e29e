import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SqliteOrderJournal } from '../src/stores/sqlite/order-journal.js';
import { ResilientTradingClient } from '../src/trading/resilient-trading-client.js';
import { publish } from './harness.js';
import { instantVenue } from './instant-venue.js';

/** What a client holds in memory after many orders: what is over must leave it for the journal. */
const FIRST = 100_000;
const LAST = 1_000_000;
const IN_FLIGHT = 200;

export default async function bench(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-bench-'));
  const heapMb = (): number => {
    collect();
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  try {
    await using journal = await SqliteOrderJournal.open({ path: join(folder, 'orders.db') });
    await using client = new ResilientTradingClient({ adapter: instantVenue(), journal });
    await client.start();
    const lines = ['### Memory over one million orders, SQLite journal', '', '| orders placed | heap MB | orders in memory |', '|---:|---:|---:|'];
    const heaps = new Map<number, number>();
    const began = performance.now();
    let placed = 0;
    const worker = async (until: number): Promise<void> => {
      while (placed < until) {
        placed++;
        await client.submit({ symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01', price: '50000' });
      }
    };
    for (const mark of [FIRST, 250_000, 500_000, LAST]) {
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => worker(mark)));
      heaps.set(mark, heapMb());
      lines.push(`| ${mark.toLocaleString('en')} | ${(heaps.get(mark) as number).toFixed(1)} | ${client.stats().orders} |`);
    }
    const ratio = (heaps.get(LAST) as number) / (heaps.get(FIRST) as number);
    const rate = LAST / ((performance.now() - began) / 1000);
    lines.push('', '| target | reached | |', '|---|---|---|');
    lines.push(
      `| heap after ${LAST.toLocaleString('en')} within 20 % of that after ${FIRST.toLocaleString('en')} | × ${ratio.toFixed(2)} at ${rate.toFixed(0)} orders/s | ${ratio <= 1.2 ? 'met' : 'MISSED'} |`,
    );
    publish('trading-memory', [`${lines.join('\n')}\n`]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
