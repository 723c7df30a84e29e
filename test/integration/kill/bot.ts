import { connectBroker } from '../../../src/certification/kill/venue-line.js';
import { SqliteOrderJournal } from '../../../src/stores/sqlite/order-journal.js';
import { ResilientTradingClient } from '../../../src/trading/resilient-trading-client.js';
import { settle, type TradeTask, tell, trade } from './trading.js';

/** What a bot process is told on its command line, as JSON. */
export interface BotTask extends TradeTask {
  readonly port: number;
  readonly journal: string;
  /** `trade` until killed; `settle`: start, wait until nothing is in doubt, cancel what is live, and leave in order. */
  readonly mode: 'trade' | 'settle';
}

async function main(task: BotTask): Promise<void> {
  using adapter = await connectBroker(task.port);
  await using journal = await SqliteOrderJournal.open({ path: task.journal });
  await using client = new ResilientTradingClient({ adapter, journal, policy: { timeoutMs: 400 } });
  await client.start();
  tell('started');
  await (task.mode === 'trade' ? trade(client, task) : settle(client));
}

if (process.argv[2] !== undefined && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  main(JSON.parse(process.argv[2]) as BotTask).then(
    () => process.exit(0),
    (error: Error & { code?: string }) => {
      tell(`failed ${error.code ?? error.name}: ${error.stack}`);
      process.exit(1);
    },
  );
}
