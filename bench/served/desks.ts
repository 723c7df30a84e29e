import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RawDesk } from '../../examples/session/raw-desk.js';
import type { BrokerAdapter } from '../../src/contracts/broker.js';
import type { OrderState } from '../../src/contracts/orders.js';
import { createVenueKit } from '../../src/kit/create-venue-kit.js';
import { toAdapter } from '../../src/sdk/ccxt/index.js';
import type { RemoteVenue } from './remote-venue.js';

/** One way to place an order at a served venue. */
export interface OrderDesk extends AsyncDisposable {
  readonly name: string;
  readonly venue: RemoteVenue;
  /** Resolves when the order is known to be at the venue. */
  submit(number: number): Promise<void>;
  /** Which order a client order id at the venue stands for. */
  numberOf(clientOrderId: string): number | undefined;
  /** Whether the desk can say of an order that is not at the venue that it never will be, or that it must be looked at. */
  endedWithProof(number: number): boolean;
}

/** How a desk is set up; the same for all that are compared. */
export interface DeskOptions {
  /** Of one request, of either side. @defaultValue 10_000 */
  readonly timeoutMs?: number;
  /** What the venue keeps. */
  readonly visibilityLagMs: number;
}

export type OpenDesk = (venue: RemoteVenue, options: DeskOptions) => Promise<OrderDesk>;

const DEFAULT_TIMEOUT_MS = 10_000;
/** As in examples/session: the venue refuses an order that arrives later than this after it was signed. */
const FENCE_MS = 1_000;
const ORDER_DEADLINE_MS = 60_000;
/** Binance takes 100 orders in 10 s from an account; a bench of the machinery must not measure that. */
const LIMITS_LIFTED_BY = 10_000;
const ENDED: readonly (OrderState | undefined)[] = ['rejected', 'abandoned', 'escalated'];

/** What every order asks for: filled at once, so that none piles up in the venue's book. */
export const MARKET_ORDER = { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.001' } as const;

/** ccxt with the loop that bots write around it, as in examples/session. */
export function rawDesk(name: string, { ownLimiter = false }: { readonly ownLimiter?: boolean } = {}): OpenDesk {
  return async (venue, { timeoutMs = DEFAULT_TIMEOUT_MS }) => {
    const exchange = venue.connect({ timeout: timeoutMs, enableRateLimit: ownLimiter });
    await exchange.loadMarkets();
    const desk = new RawDesk(exchange, (ms) => delay(ms));
    return {
      name,
      venue,
      submit: (number) => desk.submit({ number, ...MARKET_ORDER }),
      numberOf: (id) => /^raw-(\d+)-\d+$/.exec(id)?.slice(1).map(Number)[0],
      endedWithProof: () => false,
      [Symbol.asyncDispose]: async () => {},
    };
  };
}

/** How a kit is set up. */
export interface KitSetup {
  /** In memory, or in SQLite on this machine's disk. */
  readonly journal: 'memory' | 'sqlite';
  /** How many WebSocket sessions orders may go over, beside the stream of own orders; without, all goes over ccxt's REST calls. */
  readonly sessions?: number;
}

/** The whole kit over the same ccxt. */
export function kitDesk(name: string, { journal, sessions }: KitSetup): OpenDesk {
  return async (venue, { timeoutMs = DEFAULT_TIMEOUT_MS, visibilityLagMs }) => {
    const adapter = toAdapter(venue.connect({ timeout: timeoutMs }), {
      capabilities: { visibilityLagMs, fence: { maxMs: 60_000, defaultMs: FENCE_MS } },
      webSocket: sessions === undefined ? false : { maxSessions: sessions },
    });
    const dataDir = mkdtempSync(join(tmpdir(), 'venuekit-served-'));
    const kit = await createVenueKit({
      broker: liftLimits(adapter),
      policy: { timeoutMs },
      ...(journal === 'sqlite' ? { dataDir } : {}),
    });
    await kit.start();
    const { trading } = kit;
    if (trading === undefined) throw new Error('a kit with a broker has no trading');
    const clientOrderIds = new Map<string, number>();
    const viewOf = (number: number) => trading.order(`bench-${number}`)?.view;
    return {
      name,
      venue,
      submit: async (number) => {
        const placed = trading.submit({ intentId: `bench-${number}`, ...MARKET_ORDER }, { deadlineMs: ORDER_DEADLINE_MS });
        // Also of one whose deadline passes: its order goes on.
        const view = await placed.finally(() => clientOrderIds.set(viewOf(number)?.clientOrderId ?? '', number));
        if (ENDED.includes(view.state)) throw new Error(`${view.state}: ${view.reason ?? 'no reason given'}`);
      },
      numberOf: (id) => clientOrderIds.get(id),
      endedWithProof: (number) => ENDED.includes(viewOf(number)?.state),
      [Symbol.asyncDispose]: async () => {
        await kit.close();
        rmSync(dataDir, { recursive: true });
      },
    };
  };
}

/** The adapter with the venue's limits so wide that they never hold an order back; what it costs to keep them stays. */
function liftLimits(adapter: BrokerAdapter): BrokerAdapter {
  const limits = adapter.limits.map((limit) => (limit.kind === 'window' ? { ...limit, units: limit.units * LIMITS_LIFTED_BY } : limit));
  // Through to the adapter itself: its methods use private members.
  return new Proxy(adapter, {
    get: (target, name) => {
      if (name === 'limits') return limits;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
