import type { Clock } from '../../core/clock.js';
import { Overrides } from '../shared/overrides.js';
import type { CcxtKraken } from './exchange.js';

/** A request that is as late as this after the one before it will hardly come in first. */
const HOLD_MS = 500;

interface Turn {
  /** Resolves when its request is on the way. */
  readonly begun: Promise<void>;
  /** Resolves when it is answered, or given up. */
  readonly over: Promise<void>;
}

const PASSED: Turn = { begun: Promise.resolve(), over: Promise.resolve() };

/**
 * The private requests of one API key, one after another: Kraken takes no nonce that is below one it has seen, and two
 * connections do not keep the order in which requests leave. The next one leaves when the one before is answered, or half a second after it.
 */
export class PrivateLane {
  #last: Turn = PASSED;
  #nonce = 0;

  /** Above every one before. @param wanted - what the SDK would take. */
  nonce(wanted: number): number {
    this.#nonce = Math.max(this.#nonce + 1, wanted);
    return this.#nonce;
  }

  /** @param work - signs and sends; by then `signal` may have aborted. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal, clock: Clock): Promise<T> {
    const before = this.#last;
    let begin!: () => void;
    let end!: () => void;
    this.#last = {
      begun: new Promise((resolve) => {
        begin = resolve;
      }),
      over: new Promise((resolve) => {
        end = resolve;
      }),
    };
    try {
      if (before !== PASSED) await waitFor(before, signal, clock);
      const running = work();
      begin();
      return await running;
    } finally {
      begin();
      end();
    }
  }
}

async function waitFor({ begun, over }: Turn, signal: AbortSignal, clock: Clock): Promise<void> {
  await begun;
  const isOver = await Promise.race([over.then(() => true), Promise.resolve(false)]);
  if (isOver || signal.aborted) return;
  const waiting = new AbortController();
  const stop = (): void => waiting.abort();
  signal.addEventListener('abort', stop, { once: true });
  await Promise.race([over, clock.sleep(HOLD_MS, waiting.signal).catch(() => {})]);
  signal.removeEventListener('abort', stop);
  waiting.abort();
}

/** By the server and the API key there: all instances of a process that hold the key share one lane. */
const lanes = new Map<string, PrivateLane>();
const raised = new WeakMap<CcxtKraken, { uses: number; readonly undo: () => void }>();

export function laneOf({ apiKey = '', urls }: Pick<CcxtKraken, 'apiKey' | 'urls'>): PrivateLane {
  const key = `${apiKey} at ${String(urls?.api?.private)}`;
  let lane = lanes.get(key);
  if (lane === undefined) lanes.set(key, (lane = new PrivateLane()));
  return lane;
}

/**
 * ccxt takes the time in ms for a nonce, which two calls may share: from now on each is above the last, for the bot's own calls, too,
 * until everybody who has asked for it has let go.
 */
export function raiseNonces(sdk: CcxtKraken): Disposable {
  const known = raised.get(sdk) ?? { uses: 0, undo: raise(sdk) };
  known.uses++;
  raised.set(sdk, known);
  let isHeld = true;
  return {
    [Symbol.dispose]: () => {
      if (!isHeld) return;
      isHeld = false;
      if (--known.uses > 0) return;
      known.undo();
      raised.delete(sdk);
    },
  };
}

function raise(sdk: CcxtKraken): () => void {
  const overrides = new Overrides(sdk);
  overrides.wrap('nonce', (own: () => number) => () => laneOf(sdk).nonce(own()));
  return () => overrides[Symbol.dispose]();
}
