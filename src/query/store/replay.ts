import type { MetricStore } from '../../contracts/metric-store.js';
import { throwIfAborted } from '../../core/abort.js';
import type { SampleWindows } from '../evaluation/sample-windows.js';

/** Read at once: enough that reading costs little a piece, little enough that a day does not have to fit into memory. */
const PIECE_MS = 1_800_000;

/**
 * Moves windows through stored history and calls back at `from`, and every `stepMs` from there up to
 * `to`, with queries ready to be evaluated at that instant. The windows must be new, with their
 * queries prepared.
 */
export async function replay(
  store: MetricStore,
  windows: SampleWindows,
  { from, to, stepMs, signal }: { readonly from: number; readonly to: number; readonly stepMs: number; readonly signal?: AbortSignal | undefined },
  at: (instant: number) => void,
): Promise<void> {
  for (let step = 0, instant = from; instant <= to; ) {
    throwIfAborted(signal);
    const pieceEnd = Math.min(to, instant + PIECE_MS);
    await windows.readAhead(store, instant, pieceEnd, signal === undefined ? {} : { signal });
    for (; instant <= pieceEnd; instant = from + ++step * stepMs) at(instant);
  }
}
