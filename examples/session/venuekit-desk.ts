import type { VenueKit } from 'venuekit';
import type { BotOrder, Desk } from './bot.js';

export const intentIdOf = (order: number): string => `bot-${order}`;

const ORDER_DEADLINE_MS = 60_000;
const READ_DEADLINE_MS = 10_000;

/** The same bot through venuekit: no loop, no ids to invent, no error to classify. */
export class VenueKitDesk implements Desk {
  readonly #kit: VenueKit;

  constructor(kit: VenueKit) {
    this.#kit = kit;
  }

  async quote(symbol: string, maxAgeMs: number, consumer: string): Promise<{ bid: number; ask: number }> {
    const { value } = await this.#kit.marketData!.get('quote', { symbol }, { maxAgeMs, consumer, deadlineMs: READ_DEADLINE_MS });
    return value;
  }

  async bars(symbol: string, interval: string, consumer: string): Promise<{ closes: Float64Array }> {
    const { value } = await this.#kit.marketData!.get('bars', { symbol, interval, limit: 100 }, { consumer, deadlineMs: READ_DEADLINE_MS });
    return { closes: value.close };
  }

  async submit({ number, ...order }: BotOrder): Promise<void> {
    const view = await this.#kit.trading!.submit({ intentId: intentIdOf(number), ...order }, { deadlineMs: ORDER_DEADLINE_MS });
    if (view.state === 'rejected' || view.state === 'abandoned' || view.state === 'escalated')
      throw new Error(`${view.state}: ${view.reason ?? 'no reason given'}`);
  }
}
