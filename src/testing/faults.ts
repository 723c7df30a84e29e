import { requireFraction, requireInteger, requireKnown, requireNonNegative, requireOneOf } from '../core/options.js';
import type { Random } from '../core/random.js';

const KINDS = [
  'drop',
  'delay',
  'reset',
  'status',
  'html',
  'half_body',
  'duplicate',
  'stale_read',
  'reject',
  'ban',
  'clock_skew',
  'stream_drop',
  'stream_gap',
  'stream_duplicate',
  'stream_reorder',
  'stream_stall',
] as const;

const ORDER_OPERATIONS = ['place', 'cancel', 'find', 'openOrders', 'history', 'fills', 'balances', 'serverTime', 'subscribe'] as const;
const MARKET_OPERATIONS = ['quote', 'book', 'trades', 'bars', 'instrument'] as const;

/** What a fault can be aimed at. `subscribe` opens a stream of own orders, `fetch` stands for every read of market data, `events` and `stream` for the two kinds of stream. */
export type VenueOperation = (typeof ORDER_OPERATIONS)[number] | (typeof MARKET_OPERATIONS)[number] | 'ping' | 'events' | 'stream';
const OPERATIONS: readonly string[] = [...ORDER_OPERATIONS, ...MARKET_OPERATIONS, 'ping', 'fetch', 'events', 'stream'];

/**
 * Something that goes wrong. `before` strikes the request, so that the venue never acts on it;
 * `after` strikes the answer, when the venue has acted.
 *
 * | kind | what happens |
 * |---|---|
 * | drop | the request, or the answer, is lost: the caller hears nothing for `ms` (60,000), then that the connection failed |
 * | delay | it travels `ms` (1,000) longer, whatever the caller does meanwhile |
 * | reset | the connection is reset |
 * | status | the answer has HTTP `status` (503) and error `code`, and, for 429 and 418, a Retry-After of `ms` if given. 4xx is always an answer to a request that was not acted on |
 * | html | a page of HTML with `status` (503) in place of the answer |
 * | half_body | the answer ends in the middle |
 * | duplicate | the request is delivered twice, the second time `ms` (0) later; `before`: the first answer counts, `after`: the second |
 * | stale_read | the answer is as of `ms` (the venue's visibility lag) ago |
 * | reject | `before`: rejected at once; `after`: accepted, then rejected `ms` (0) later |
 * | ban | 418, and everything is refused for `ms` (120,000) |
 * | clock_skew | the venue's clock is `ms` ahead: for good until disposed, or only for the requests struck where operation, probability or times is given |
 * | stream_drop | the stream fails; what happens before the next one opens is not sent |
 * | stream_gap | an event is not sent; its sequence number is missing |
 * | stream_duplicate | an event is sent twice |
 * | stream_reorder | an event changes places with the next one |
 * | stream_stall | nothing is sent for `ms` (10,000), and then everything at once |
 */
export interface Fault {
  /** @defaultValue every operation that the kind can strike */
  readonly operation?: string;
  readonly when: 'before' | 'after';
  readonly kind: (typeof KINDS)[number];
  /** Share of the matching requests or events that are struck. @defaultValue 1 */
  readonly probability?: number;
  /** How many are struck at most. @defaultValue no limit */
  readonly times?: number;
  readonly ms?: number;
  readonly status?: number;
  readonly code?: number;
}

interface ActiveFault {
  readonly fault: Fault;
  left: number;
}

const NONE: readonly Fault[] = [];

/** The faults that are in force, and the dice that decide whom they strike. */
export class FaultBook {
  readonly #random: Random;
  readonly #active = new Set<ActiveFault>();

  constructor(random: Random) {
    this.#random = random;
  }

  add(fault: Fault): Disposable {
    requireFault(fault);
    const active = { fault, left: fault.times ?? Infinity };
    this.#active.add(active);
    return { [Symbol.dispose]: () => void this.#active.delete(active) };
  }

  clear(): void {
    this.#active.clear();
  }

  /** The faults that strike this request or event; each that does has one time less left. */
  strike(operation: VenueOperation): readonly Fault[] {
    if (this.#active.size === 0) return NONE;
    let struck: Fault[] | undefined;
    for (const active of this.#active) {
      const { fault } = active;
      if (!aimsAt(fault, operation)) continue;
      const { probability = 1 } = fault;
      if (probability < 1 && this.#random() >= probability) continue;
      if (--active.left <= 0) this.#active.delete(active);
      (struck ??= []).push(fault);
    }
    return struck ?? NONE;
  }
}

function aimsAt(fault: Fault, operation: VenueOperation): boolean {
  const isStream = operation === 'events' || operation === 'stream';
  if (fault.kind.startsWith('stream_') !== isStream) return false;
  if (fault.operation === undefined || fault.operation === operation) return true;
  return fault.operation === 'fetch' && (MARKET_OPERATIONS as readonly string[]).includes(operation);
}

/** @throws RangeError or TypeError that names the member. */
function requireFault(fault: Fault): void {
  requireKnown('fault', fault, ['operation', 'when', 'kind', 'probability', 'times', 'ms', 'status', 'code']);
  requireOneOf('fault.kind', fault.kind, KINDS);
  requireOneOf('fault.when', fault.when, ['before', 'after']);
  if (fault.operation !== undefined) requireOneOf('fault.operation', fault.operation, OPERATIONS);
  if (fault.probability !== undefined) requireFraction('fault.probability', fault.probability);
  if (fault.times !== undefined) requireInteger('fault.times', fault.times, 1);
  if (fault.ms !== undefined && fault.kind !== 'clock_skew') requireNonNegative('fault.ms', fault.ms);
  if (fault.kind === 'clock_skew' && !Number.isFinite(fault.ms))
    throw new RangeError(`fault.ms must say how far a clock_skew is ahead, got ${fault.ms}`);
  if (fault.status !== undefined) requireInteger('fault.status', fault.status, 200);
}

/** What becomes of one request. */
export interface Plan {
  readonly delayBeforeMs: number;
  readonly delayAfterMs: number;
  /** Takes the place of the venue's action, or of its answer. */
  readonly before: Fault | undefined;
  readonly after: Fault | undefined;
  readonly duplicate: Fault | undefined;
  readonly stale: Fault | undefined;
  readonly reject: Fault | undefined;
  readonly ban: Fault | undefined;
  readonly skewMs: number;
}

export const UNDISTURBED: Plan = {
  delayBeforeMs: 0,
  delayAfterMs: 0,
  before: undefined,
  after: undefined,
  duplicate: undefined,
  stale: undefined,
  reject: undefined,
  ban: undefined,
  skewMs: 0,
};

/** Puts the faults that struck one request together; of two that contradict each other the earlier registered counts. */
export function planOf(struck: readonly Fault[]): Plan {
  if (struck.length === 0) return UNDISTURBED;
  const plan: { -readonly [K in keyof Plan]: Plan[K] } = { ...UNDISTURBED };
  for (const fault of struck) {
    if (fault.kind === 'delay') {
      if (fault.when === 'before') plan.delayBeforeMs += fault.ms ?? 1_000;
      else plan.delayAfterMs += fault.ms ?? 1_000;
    } else if (fault.kind === 'duplicate') plan.duplicate ??= fault;
    else if (fault.kind === 'stale_read') plan.stale ??= fault;
    else if (fault.kind === 'reject') plan.reject ??= fault;
    else if (fault.kind === 'ban') plan.ban ??= fault;
    else if (fault.kind === 'clock_skew') plan.skewMs += fault.ms ?? 0;
    else if (fault.when === 'before' || isRefusalStatus(fault)) plan.before ??= fault;
    else plan.after ??= fault;
  }
  return plan;
}

// A venue that answers 4xx has not acted, whatever the fault says of when.
function isRefusalStatus(fault: Fault): boolean {
  return fault.kind === 'status' && fault.status !== undefined && fault.status >= 400 && fault.status < 500 && fault.status !== 408;
}

/** How long a lost message leaves its caller in silence. */
export const SILENCE_MS = 60_000;
/** How long a fault's ban lasts unless it says. */
export const BAN_MS = 120_000;
