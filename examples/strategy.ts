import { ManualClock, seededRandom } from 'venuekit';
import { SimulatedVenue, simulatedBroker } from 'venuekit/testing';

/**
 * A strategy tested in virtual time: a year of minute bars, an order book, fees and fills, in a second or
 * two. Equal seeds give equal logs, to the hash, on every runtime:
 *
 *     npx tsx examples/strategy.ts
 */
const SEED = 7;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const HOURS = 365 * 24;
const DECIDES_EVERY_H = 4;
const START = Date.UTC(2024, 0, 1);

/** A market that wanders: sums and products only, so that every runtime computes the same prices. */
function* yearOfMinutes(seed: number) {
  const random = seededRandom(seed);
  let price = 40_000;
  let drift = 0;
  for (let i = 0; i < HOURS * 60; i++) {
    if (i % 1_440 === 0) drift = (random() - 0.5) * 0.00002;
    const open = price;
    const close = open * (1 + drift + (random() - 0.5) * 0.001);
    const [low, high] = open < close ? [open, close] : [close, open];
    yield { t: START + i * MINUTE_MS, symbol: 'BTC/USDT', open, high: high * 1.0001, low: low * 0.9999, close, volume: 1 + random() };
    price = close;
  }
}

const began = performance.now();
const clock = new ManualClock(START);
const venue = new SimulatedVenue({
  clock,
  seed: SEED,
  symbols: { 'BTC/USDT': { price: 40_000, priceStep: '0.01', qtyStep: '0.0001' } },
  balances: { USDT: '100000' },
  fees: { maker: '0.0001', taker: '0.0005' },
  log: 'hash',
});
venue.replay(yearOfMinutes(SEED));
const broker = simulatedBroker(venue);
const attempt = () => ({ signal: new AbortController().signal, number: 1, venueNow: clock.now() });

// The strategy under test: every four hours, buy what has risen over a day with a resting bid a little below,
// sell what has not, and hold one position at most. A bid that was not reached is taken back.
let placed = 0;
let position = '0';
let resting: string | undefined;
const order = async (side: 'buy' | 'sell', qty: string, price?: string) => {
  const clientOrderId = `strategy-${++placed}`;
  const terms = price === undefined ? ({ type: 'market' } as const) : ({ type: 'limit', price } as const);
  const verdict = await broker.place({ symbol: 'BTC/USDT', side, qty, ...terms }, clientOrderId, attempt());
  return verdict.kind === 'accepted' ? { clientOrderId, state: verdict.order.state } : undefined;
};
for (let hour = 0; hour < HOURS; hour += DECIDES_EVERY_H) {
  await clock.advance(DECIDES_EVERY_H * HOUR_MS);
  if (hour < 24) continue;
  const [answer] = await broker.fetch('bars', [{ symbol: 'BTC/USDT', interval: '1h', limit: 25 }], attempt());
  if (answer?.status !== 'fulfilled') throw new Error('no bars');
  const { close } = answer.value;
  const last = close.at(-1) as number;
  const isRising = last > (close[0] as number);
  if (resting !== undefined) {
    const found = await broker.find({ symbol: 'BTC/USDT', clientOrderId: resting }, attempt());
    if (found !== 'not_found' && found.state === 'filled') position = found.qty;
    else await broker.cancel({ symbol: 'BTC/USDT', clientOrderId: resting }, attempt());
    resting = undefined;
  }
  if (isRising && position === '0') resting = (await order('buy', '0.5', (last * 0.999).toFixed(2)))?.clientOrderId;
  else if (!isRising && position !== '0') {
    if ((await order('sell', '0.4999'))?.state === 'filled') position = '0';
  }
}
const { orders, fills } = venue.stats();
const { USDT, BTC } = venue.balances();
const seconds = (performance.now() - began) / 1_000;

console.log(`${(HOURS * 60).toLocaleString('en-US')} minute bars, ${orders} orders, ${fills} fills, in ${seconds.toFixed(1)} s`);
console.log(`at the end ${Number(USDT?.free).toFixed(2)} USDT and ${BTC?.free} BTC`);
console.log(`log hash ${venue.logHash()}`);
