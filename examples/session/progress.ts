import type { BotLog } from './bot.js';

/** What each side has done so far. */
export type Logs = Map<'raw' | 'venuekit', BotLog>;

/** One line that is rewritten on a terminal, and one line every few seconds elsewhere. */
export class Progress {
  readonly #stream = process.stderr;
  readonly #everyMs: number;
  readonly #now: () => number;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
    this.#everyMs = this.#stream.isTTY ? 250 : 5_000;
  }

  show(text: string): void {
    if (this.#now() - this.#shownAt < this.#everyMs) return;
    this.#shownAt = this.#now();
    this.#stream.write(this.#stream.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
  }

  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[K');
  }
}

export function soFar(logs: Logs): string {
  const side = (name: 'raw' | 'venuekit'): string => {
    const log = logs.get(name);
    return log === undefined
      ? `${name} starting`
      : `${name} ${log.readLatenciesMs.length} reads, ${log.orders.length} orders, ${log.readErrors.length + log.failedOrders.size} errors`;
  };
  return `${side('raw')} · ${side('venuekit')}`;
}
