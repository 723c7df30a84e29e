import type { BinanceSdk } from './sdk-wire.js';

/** Of an attempt: what SDKs allow by themselves is minutes, or for ever. */
const ATTEMPT_MS = 10_000;

/** How long one attempt may take, in ms. @param askedMs - by the host */
export function attemptMsOf({ timeoutMs }: Pick<BinanceSdk, 'timeoutMs'>, askedMs: number | undefined): number {
  return Math.min(askedMs ?? ATTEMPT_MS, timeoutMs > 0 ? timeoutMs : Infinity);
}
