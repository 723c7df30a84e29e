import { once } from 'node:events';
// @ts-expect-error -- it comes without types
import connector from '@binance/connector';
import { ready, release, resilient } from '../../../../src/sdk/binance/index.js';
import { SqliteOrderJournal } from '../../../../src/stores/sqlite/order-journal.js';
import { type CompositeWriter, LISTS, type ListKind, RESTING, replacing, TRAILING, WRITERS } from './composite-writers.js';

/** What a bot process is told on its command line, as JSON. */
export interface CompositeTask {
  readonly url: string;
  readonly apiKey: string;
  readonly secret: string;
  /** Path of the file. */
  readonly journal: string;
}

const { Spot } = connector as { Spot: new (key: string, secret: string, options: object) => object };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Asks for everything at once, as bots do that start anew and do not know how far they had got; says in one line what it got. */
async function main({ url, apiKey, secret, journal: path }: CompositeTask): Promise<void> {
  await using journal = await SqliteOrderJournal.open({ path });
  const sdk = resilient(new Spot(apiKey, secret, { baseURL: url, timeout: 500 }), {
    journal,
    capabilities: { visibilityLagMs: 50, fence: { maxMs: 60_000, defaultMs: 400 } },
    policy: { timeoutMs: 500 },
    logger: silent,
  });
  await ready(sdk, { deadlineMs: 30_000 });
  const writer: CompositeWriter = WRITERS['@binance/connector']!(sdk as never);
  // The same order, whichever process asks for it.
  const { orderId } = await writer.place({ ...RESTING, price: 62_000, newClientOrderId: 'large-1' });
  process.stdout.write('started\n');
  await once(process.stdin, 'data');
  const asked = {
    amended: writer.amend!({ symbol: 'BTCUSDT', orderId, newQty: 0.004 }),
    replaced: writer.replace(replacing(1)),
    trailing: writer.place(TRAILING),
    ...Object.fromEntries((Object.keys(LISTS) as ListKind[]).map((kind) => [kind, writer.list(kind)])),
  };
  const answers = await Promise.all(Object.entries(asked).map(async ([name, answer]) => [name, await answer]));
  process.stdout.write(`${JSON.stringify(Object.fromEntries(answers))}\n`);
  await release(sdk);
  process.stdin.destroy();
}

main(JSON.parse(process.argv[2]!) as CompositeTask).catch((error: unknown) => {
  process.stdout.write(`failed: ${String(error)}\n`);
  process.exit(1);
});
