import type { Attempt } from '../../contracts/broker.js';
import type { Clock } from '../../core/clock.js';
import { stoppedBefore } from '../shared/stoppable.js';
import type { KrakenWire, Params, WireAnswer, WireOutcome } from './wire.js';

/** How long those that are ready wait for the others, once the first of them is. Much less than a deadline is ahead. */
const GATHER_MS = 1_000;

/** One order of a batch, journalled and about to be sent. */
interface Seat {
  readonly place: number;
  readonly params: Params;
  readonly signal: AbortSignal;
  readonly answer: (outcome: WireOutcome) => void;
}

interface Gathering {
  readonly places: ReadonlyMap<string, number>;
  readonly awaited: Set<string>;
  readonly seats: Seat[];
  timer?: Disposable;
}

/**
 * Orders that the bot has asked for in one request. Each of them is an order of its own to the journal, with an id and a proof of its own; they
 * go out in one request again as soon as all of them are written. What holds one of them up holds the others up for a moment only; and
 * whatever is sent again later is sent alone.
 */
export class Batches {
  readonly #wire: KrakenWire;
  readonly #clock: Clock;
  readonly #gatherings = new Map<string, Gathering>();

  constructor(wire: KrakenWire, clock: Clock) {
    this.#wire = wire;
    this.#clock = clock;
  }

  /** @param intentIds - of the orders, in their order; none is of a batch that is under way. */
  begin(intentIds: readonly string[]): void {
    const gathering = { places: new Map(intentIds.map((id, place) => [id, place])), awaited: new Set(intentIds), seats: [] };
    for (const id of intentIds) this.#gatherings.set(id, gathering);
  }

  /** Whether an order is of a batch that is under way. */
  has(intentId: string): boolean {
    return this.#gatherings.has(intentId);
  }

  /** It is sent, or will not be: nobody need wait for it. */
  leave(intentId: string): void {
    const gathering = this.#gatherings.get(intentId);
    if (gathering === undefined) return;
    this.#gatherings.delete(intentId);
    gathering.awaited.delete(intentId);
    this.#sendWhenWhole(gathering);
  }

  /** Sends an order with the others of its batch; alone, where it is of none. The outcome is that of AddOrder. */
  send(intentId: string | undefined, params: Params, { number, signal }: Attempt): Promise<WireOutcome> {
    const gathering = intentId === undefined || number > 1 ? undefined : this.#gatherings.get(intentId);
    const place = intentId === undefined ? undefined : gathering?.places.get(intentId);
    if (gathering === undefined || place === undefined || !gathering.awaited.delete(intentId!)) return this.#sendAlone(params, signal);
    return new Promise((answer) => {
      gathering.seats.push({ place, params, signal, answer });
      gathering.timer ??= this.#clock.schedule(GATHER_MS, () => this.#send(gathering));
      this.#sendWhenWhole(gathering);
    });
  }

  #sendAlone(params: Params, signal: AbortSignal): Promise<WireOutcome> {
    return this.#wire.send({ api: 'private', method: 'AddOrder', params }, signal);
  }

  #sendWhenWhole(gathering: Gathering): void {
    if (gathering.awaited.size === 0) this.#send(gathering);
  }

  #send(gathering: Gathering): void {
    gathering.timer?.[Symbol.dispose]();
    gathering.awaited.clear();
    const all = gathering.seats.splice(0).sort((a, b) => a.place - b.place);
    const seats: Seat[] = [];
    for (const seat of all) {
      const stopped = stoppedBefore(seat.signal);
      if (stopped === undefined) seats.push(seat);
      else seat.answer(stopped);
    }
    const [first] = seats;
    if (first === undefined) return;
    if (seats.length === 1) void this.#sendAlone(first.params, first.signal).then(first.answer);
    else void this.#sendTogether(first, seats);
  }

  async #sendTogether({ params: { pair }, signal }: Seat, seats: readonly Seat[]): Promise<void> {
    const orders = seats.map(({ params: { pair: _, deadline: __, ...row } }) => row);
    // The earliest: what the journal has of each is then never too early.
    const [deadline] = seats.map(({ params }) => params.deadline).sort() as (string | undefined)[];
    const params = { pair, orders, ...(deadline === undefined ? {} : { deadline }) };
    const outcome = await this.#wire.send({ api: 'private', method: 'AddOrderBatch', params }, signal);
    const rows = rowsIn(outcome);
    for (const [index, { answer }] of seats.entries()) answer(rows?.length === seats.length ? outcomeOf(rows[index], outcome) : outcome);
  }
}

/** What became of each order of a batch that was taken; undefined for a batch that was refused as a whole, or of which nothing is known. */
function rowsIn(outcome: WireOutcome): readonly unknown[] | undefined {
  try {
    // An SDK may throw where one of the orders was refused.
    const json = 'result' in outcome ? outcome.result.json : (JSON.parse(outcome.facts.body ?? '') as { readonly result?: unknown }).result;
    const { orders } = json as { readonly orders?: unknown };
    return Array.isArray(orders) ? orders : undefined;
  } catch {
    return undefined;
  }
}

/** The outcome of one order, as AddOrder would have told it. */
function outcomeOf(row: unknown, outcome: WireOutcome): WireOutcome {
  const { error, txid, descr } = row as { readonly error?: unknown; readonly txid?: unknown; readonly descr?: unknown };
  if (typeof error === 'string') {
    const cause = 'error' in outcome ? outcome.error : new Error(error);
    return { error: cause, facts: { sent: true, status: 200, body: JSON.stringify({ error: [error] }) } };
  }
  return { result: answerOf({ descr, txid: [txid] }) };
}

/** An answer of Kraken's form that it has not given in these words. */
export function answerOf(json: object): WireAnswer {
  return { json, native: { error: [], result: json } };
}
