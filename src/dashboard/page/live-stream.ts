import { systemClock } from '../../core/clock.js';
import { mergeTick } from '../view/merge.js';
import type { Snapshot } from '../view/snapshot.js';

/** What comes over the stream of events. */
export interface StreamMessage {
  /** Epoch ms: where the range begins now. */
  readonly start: number;
  readonly snapshot: Snapshot;
}

export type StreamState = 'connecting' | 'live' | 'lost' | 'refused';

/** {@link LiveStream} */
export interface LiveStreamOptions {
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onState: (state: StreamState) => void;
}

const AGAIN_MS = 2_000;

/**
 * The page's one stream: a snapshot, then ticks that are merged into it. When the connection is lost
 * the browser connects again by itself and says what it had last; where it gives up, this does.
 */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  #source: EventSource | undefined;
  #snapshot: Snapshot | undefined;
  #again: Disposable | undefined;
  #query = '';

  constructor(options: LiveStreamOptions) {
    this.#options = options;
  }

  /** Begins anew with another view; its first snapshot may have been asked for already. */
  open(query: URLSearchParams, first?: Promise<StreamMessage | undefined>): void {
    this.#query = query.toString();
    this.#snapshot = undefined;
    this.#options.onState('connecting');
    if (first === undefined) this.#connect();
    else void this.#openWith(first, this.#query);
  }

  async #openWith(first: Promise<StreamMessage | undefined>, query: string): Promise<void> {
    const message = await first.catch(() => undefined);
    // Meanwhile somebody may have chosen another view.
    if (query !== this.#query || this.#source !== undefined) return;
    if (message !== undefined) this.#take(message.snapshot);
    this.#connect();
  }

  #connect(): void {
    this.#again?.[Symbol.dispose]();
    this.#source?.close();
    const after = this.#snapshot === undefined ? '' : `&after=${this.#snapshot.at}`;
    const source = new EventSource(`events?${this.#query}${after}`);
    this.#source = source;
    source.addEventListener('open', () => this.#options.onState('live'));
    source.addEventListener('snapshot', ({ data }) => this.#take((JSON.parse(data as string) as StreamMessage).snapshot));
    source.addEventListener('tick', ({ data }) => {
      const { start, snapshot } = JSON.parse(data as string) as StreamMessage;
      this.#take(this.#snapshot === undefined ? snapshot : mergeTick(this.#snapshot, snapshot, start));
    });
    source.addEventListener('error', () => {
      if (source !== this.#source) return;
      const isOver = source.readyState === EventSource.CLOSED;
      this.#options.onState(isOver && this.#snapshot === undefined ? 'refused' : 'lost');
      if (isOver) this.#again = systemClock.schedule(AGAIN_MS, () => this.#connect());
    });
  }

  #take(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#options.onSnapshot(snapshot);
  }
}
