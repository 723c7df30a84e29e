import ccxt, { type Exchange } from 'ccxt';
import type { BotOrder, Desk } from './bot.js';

const TRIES = 4;
const BACKOFF_MS = 100;

/** How the judge finds the orders of an attempt: each call of a raw bot goes out under an id of its own, as ccxt does by default. */
export const rawClientOrderId = (order: number, attempt: number): string => `raw-${order}-${attempt}`;

/**
 * The bot on the raw SDK, with the loop that bots write around it: on a network error wait a little
 * and call again, four times in all. Nothing here is made worse than what is found in the wild.
 */
export class RawDesk implements Desk {
  readonly #exchange: Exchange;
  readonly #sleep: (ms: number) => Promise<unknown>;

  constructor(exchange: Exchange, sleep: (ms: number) => Promise<unknown>) {
    this.#exchange = exchange;
    this.#sleep = sleep;
  }

  async quote(symbol: string): Promise<{ bid: number; ask: number }> {
    const ticker = await this.#retried(() => this.#exchange.fetchTicker(symbol));
    return { bid: ticker.bid ?? Number.NaN, ask: ticker.ask ?? Number.NaN };
  }

  async bars(symbol: string, interval: string): Promise<{ closes: number[] }> {
    const rows = await this.#retried(() => this.#exchange.fetchOHLCV(symbol, interval, undefined, 100));
    return { closes: rows.map((row) => Number(row[4])) };
  }

  async submit(order: BotOrder): Promise<void> {
    await this.#retried((attempt) =>
      this.#exchange.createOrder(
        order.symbol,
        order.type,
        order.side,
        Number(order.qty),
        order.price === undefined ? undefined : Number(order.price),
        {
          newClientOrderId: rawClientOrderId(order.number, attempt),
        },
      ),
    );
  }

  async #retried<T>(call: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call(attempt);
      } catch (error) {
        if (!(error instanceof ccxt.NetworkError) || attempt === TRIES) throw error;
        await this.#sleep(BACKOFF_MS * 2 ** attempt);
      }
    }
  }
}
