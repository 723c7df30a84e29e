import type { CallOptions } from '../../contracts/calls.js';
import type { ReconcileReport } from '../../contracts/trading-policy.js';

/** What is attached to an SDK object while it is resilient. */
export interface Attachment {
  ready(options: CallOptions): Promise<ReconcileReport>;
  release(): Promise<void>;
}

const KEY = Symbol.for('venuekit.sdk.attachments');
const shared = globalThis as { [KEY]?: WeakMap<object, Attachment> };
const attachments = (shared[KEY] ??= new WeakMap<object, Attachment>());

/** @throws TypeError when `sdk` is resilient already: two order paths over one object would not know of each other. */
export function attach(sdk: object, attachment: Attachment): void {
  requireFree(sdk);
  attachments.set(sdk, attachment);
}

/** @throws TypeError when `sdk` is resilient already. */
export function requireFree(sdk: object): void {
  if (attachments.has(sdk))
    throw new TypeError('this SDK object is resilient already; use it as it is, or release(sdk) before wrapping it with other options');
}

function attachmentOf(sdk: object): Attachment {
  const found = attachments.get(sdk);
  if (found === undefined) throw new TypeError('this SDK object is not resilient: call resilient(sdk) first');
  return found;
}

/**
 * Resolves when the journal is replayed, the account reconciled and the stream open. Orders wait for it by
 * themselves; call it to see a start fail where the bot starts.
 * @throws TradingError JOURNAL_LOCKED while another process sends for the account; AUTH without credentials.
 */
export async function ready(sdk: object, options: CallOptions = {}): Promise<ReconcileReport> {
  return attachmentOf(sdk).ready(options);
}

/** Drains, gives up the writer's lease and closes what `resilient` opened. The SDK stays usable, raw. Releasing twice is fine. */
export async function release(sdk: object): Promise<void> {
  const found = attachments.get(sdk);
  if (found === undefined) return;
  try {
    await found.release();
  } finally {
    // Released by two at once, it may be resilient anew when the second one comes here.
    if (attachments.get(sdk) === found) attachments.delete(sdk);
  }
}
