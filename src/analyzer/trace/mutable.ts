import type { Trace } from './trace.js';

/** A trace that is being put together. */
export type Mutable = { -readonly [K in keyof Trace]: Trace[K] extends readonly (infer Item)[] ? Item[] : Trace[K] };
