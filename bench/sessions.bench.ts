import { percentiles } from '../examples/session/judge.js';
import type { BrokerAdapter } from '../src/contracts/broker.js';
import { toAdapter } from '../src/sdk/ccxt/index.js';
import { digits, publish } from './harness.js';
import { RemoteVenue } from './served/remote-venue.js';

/**
 * How long an order takes to be acknowledged: over the SDK's REST call on a kept-alive connection, and
 * over a pooled WebSocket session, by one and the same adapter against one and the same venue.
 */

const WARM_UP = 300;
const ORDERS = 2_000;
const ORDER = { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.001' } as const;

interface Side {
  readonly name: string;
  readonly adapter: BrokerAdapter;
  readonly latenciesMs: number[];
  accepted: number;
}

export default async function sessions(): Promise<void> {
  await using venue = await RemoteVenue.start({});
  const rest = await sideOf('REST through ccxt', toAdapter(venue.connect(), { webSocket: false }));
  const socket = await sideOf('**WebSocket session**', toAdapter(venue.connect()));
  const controller = new AbortController();
  // Sessions are open while somebody follows the account.
  const following = follow(socket.adapter, controller.signal);
  await following.synced;
  // In turns, the one that goes first changing, so that whatever the machine does meanwhile meets both.
  for (let i = 0; i < WARM_UP + ORDERS; i++) {
    for (const side of i % 2 === 0 ? [rest, socket] : [socket, rest]) await place(side, i);
    if (i === WARM_UP - 1) for (const side of [rest, socket]) side.latenciesMs.length = 0;
  }
  const { requestsByEndpoint } = await venue.usage();
  controller.abort(new Error('done'));
  await following.ended;
  publish('sessions', [report([rest, socket], requestsByEndpoint)]);
}

async function sideOf(name: string, adapter: BrokerAdapter): Promise<Side> {
  await adapter.serverTime?.(attempt());
  return { name, adapter, latenciesMs: [], accepted: 0 };
}

function follow(adapter: BrokerAdapter, signal: AbortSignal): { readonly synced: Promise<void>; readonly ended: Promise<void> } {
  let synced!: () => void;
  const opened = new Promise<void>((resolve) => {
    synced = resolve;
  });
  const ended = (async () => {
    for await (const event of adapter.events?.(signal) ?? []) if (event.kind === 'synced') synced();
  })().catch(() => {});
  return { synced: opened, ended };
}

async function place(side: Side, number: number): Promise<void> {
  const beganAt = performance.now();
  const verdict = await side.adapter.place(ORDER, `${side.name.replace(/\W/g, '')}-${number}`.slice(0, 36), attempt());
  side.latenciesMs.push(performance.now() - beganAt);
  if (verdict.kind === 'accepted') side.accepted++;
}

function attempt() {
  return { signal: new AbortController().signal, number: 1, venueNow: Date.now(), fenceMs: 5_000 };
}

function report(sides: readonly Side[], requests: Readonly<Record<string, number>>): string {
  const rows = sides.map(({ name, latenciesMs, accepted }) => {
    const { p50, p95, p99 } = percentiles([...latenciesMs].sort((a, b) => a - b));
    return { name, p50, cells: [p50, p95, p99].map(digits), accepted };
  });
  const ratio = rows[0]!.p50 / rows[1]!.p50;
  const sent = `The venue counted ${requests['POST /api/v3/order'] ?? 0} orders over REST and ${requests['WS order.place'] ?? 0} over WebSocket.`;
  return [
    '### Placing an order: REST and WebSocket',
    '',
    `${ORDERS} market orders on each side, one after the other and in turns, through \`place\` of the same adapter; a venue of a process of its own on loopback that answers at once. ${sent}`,
    '',
    '| | p50, ms | p95 | p99 | accepted |',
    '|---|---:|---:|---:|---:|',
    ...rows.map(({ name, cells, accepted }) => `| ${name} | ${cells.join(' | ')} | ${accepted} |`),
    '',
    '| target | reached | |',
    '|---|---|---|',
    `| faster than REST at p50 | ${digits(ratio)}× | ${ratio > 1 ? 'met' : 'MISSED'} |`,
    '',
  ].join('\n');
}
