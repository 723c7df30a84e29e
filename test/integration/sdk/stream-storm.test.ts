import { Spot } from '@binance/spot';
import ccxt, { type binance } from 'ccxt';
import { describe, expect, it, vi } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import { systemClock } from '../../../src/core/clock.js';
import * as ofAlpaca from '../../../src/sdk/alpaca/index.js';
import * as ofBinance from '../../../src/sdk/binance/index.js';
import * as ofCcxt from '../../../src/sdk/ccxt/index.js';
import { SimulatedVenue, serveAlpaca, serveBinance } from '../../../src/testing/index.js';
import { JumpingClock } from '../../setup/jumping-clock.js';
import { alpacaVenue, newV4 } from './alpaca/given.js';

// @binance/spot writes of every connection to the console.
vi.stubEnv('LOG_LEVEL', 'error');

const SYMBOLS = { 'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' } };
const STORM_MS = 2_500;

interface Given {
  readonly bus: EventBus<VenueKitEvents>;
  readonly clock: JumpingClock;
  /** Numbers of trades, as the bot is told them. */
  readonly told: number[];
  /** Follows trades until it is left. */
  follow(told: (id: number) => void): Promise<() => Promise<void>>;
  readonly venue: SimulatedVenue;
  close(): Promise<void>;
}

type Make = (clock: JumpingClock, bus: EventBus<VenueKitEvents>) => Promise<Pick<Given, 'follow' | 'venue' | 'close'>>;

// The clock jumps while requests are under way.
const TIMEOUT_MS = 60_000;
const OPTIONS = { policy: { timeoutMs: TIMEOUT_MS, deadlineMs: 5 * TIMEOUT_MS } };

const alpaca: Make = async (clock, bus) => {
  const venue = alpacaVenue({ clock, seed: 3 });
  const served = await serveAlpaca(venue);
  const sdk = ofAlpaca.resilient(served.connect(newV4({ timeoutMs: TIMEOUT_MS })), { ...OPTIONS, clock, bus });
  return {
    venue,
    follow: (told) => {
      const stream = sdk.marketData.stockStream({ initialReconnectMs: 50, maxReconnectMs: 200 });
      stream.onTrade(({ id }) => told(id));
      stream.subscribeForTrades(['AAPL']);
      stream.connect();
      return Promise.resolve(() => Promise.resolve(stream.disconnect()));
    },
    close: async () => {
      await ofAlpaca.release(sdk);
      await served.close();
    },
  };
};

const binanceVenue = (clock: JumpingClock): SimulatedVenue => new SimulatedVenue({ seed: 3, symbols: SYMBOLS, clock });

const spot: Make = async (clock, bus) => {
  const venue = binanceVenue(clock);
  const served = await serveBinance(venue);
  const sdk = served.connect(
    new Spot({ configurationRestAPI: { apiKey: 'any', apiSecret: 'any', retries: 0, timeout: TIMEOUT_MS }, configurationWebsocketStreams: {} }),
  );
  ofBinance.resilient(sdk, { ...OPTIONS, clock, bus });
  return {
    venue,
    follow: async (told) => {
      const streams = await sdk.websocketStreams.connect();
      streams.trade({ symbol: 'btcusdt' }).on('message', ({ t }) => told(Number(t)));
      return () => streams.disconnect();
    },
    close: async () => {
      await ofBinance.release(sdk);
      await served.close();
    },
  };
};

const ccxtPro: Make = async (clock, bus) => {
  const venue = binanceVenue(clock);
  const served = await serveBinance(venue);
  const sdk = served.connect(new ccxt.pro.binance({ enableRateLimit: false, timeout: TIMEOUT_MS })) as binance &
    InstanceType<typeof ccxt.pro.binance>;
  ofCcxt.resilient(sdk, { ...OPTIONS, clock, bus });
  return {
    venue,
    follow: (told) => {
      let isLeft = false;
      const reading = (async () => {
        while (!isLeft) for (const { id } of await sdk.watchTrades('BTC/USDT')) told(Number(id));
      })().catch(() => {});
      return Promise.resolve(async () => {
        isLeft = true;
        await sdk.close();
        await reading;
      });
    },
    close: async () => {
      await ofCcxt.release(sdk);
      await served.close();
    },
  };
};

describe.concurrent('trades of a market stream in a storm', () => {
  it.each([
    // Alpaca numbers nothing: what a message had that was lost without a drop, no client can know. What it swaps, stays so.
    ['@alpacahq/alpaca-trade-api 4', alpaca, false],
    ['@binance/spot', spot, true],
    ['ccxt.pro.binance', ccxtPro, true],
  ] as const)('are those of the venue, each once, through %s', { timeout: 60_000 }, async (_, make, isNumbered) => {
    const clock = new JumpingClock();
    const bus = new EventBus<VenueKitEvents>();
    const left: VenueKitEvents['stream.recovered'][] = [];
    bus.on('stream.recovered', (recovered) => {
      if (!recovered.isWhole) left.push(recovered);
    });
    let drops = 0;
    bus.on('stream.state', ({ state }) => {
      if (state === 'down') drops++;
    });
    const { venue, follow, close } = await make(clock, bus);
    const told: number[] = [];
    const leave = await follow((id) => told.push(id));
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) {
        clock.jump(500);
        await systemClock.sleep(100);
      }
    };
    await until(() => told.length >= 2);
    const storm = [
      venue.fault({ operation: 'stream', when: 'after', kind: 'stream_drop', probability: 0.1 }),
      venue.fault({ operation: 'stream', when: 'after', kind: 'stream_duplicate', probability: 0.2 }),
      venue.fault({ operation: 'stream', when: 'after', kind: 'stream_reorder', probability: 0.1 }),
      venue.fault({ operation: 'stream', when: 'after', kind: 'stream_stall', probability: 0.05, ms: 200 }),
      venue.fault({ operation: 'trades', when: 'after', kind: 'html', probability: 0.1 }),
      ...(isNumbered ? [venue.fault({ operation: 'stream', when: 'after', kind: 'stream_gap', probability: 0.1 })] : []),
    ];
    const end = systemClock.monotonic() + STORM_MS;
    await until(() => systemClock.monotonic() > end && drops >= 2);
    for (const fault of storm) fault[Symbol.dispose]();
    const count = told.length;
    await until(() => told.length >= count + 5);
    // What is read of the last drop comes before that.
    await systemClock.sleep(300);
    await leave();
    await close();
    const ordered = isNumbered ? told : [...told].sort((a, b) => a - b);
    expect(left).toEqual([]);
    expect(ordered).toEqual(ordered.map((__, i) => ordered[0]! + i));
  });
});
