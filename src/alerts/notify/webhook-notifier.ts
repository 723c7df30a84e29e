import type { AlertGroup, Notifier } from '../../contracts/alerts.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { requireKnown, requireText } from '../../core/options.js';
import { webhookPayload } from './alert-payload.js';
import { type Fetch, postJson, requireUrl } from './post-json.js';

/** Where a {@link webhookNotifier} posts, and how a receiver knows that it is from here. */
export interface WebhookOptions {
  readonly url: string;
  /** Signs each body; without it there is no signature. */
  readonly secret?: string;
  /** @defaultValue 'webhook' */
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the time in the signature. @defaultValue systemClock */
  readonly clock?: Clock;
  /** @defaultValue the global fetch */
  readonly fetch?: Fetch;
}

/**
 * Posts alerts in the form of Alertmanager's webhook, so that its receivers understand them.
 *
 * With a secret, `x-venuekit-timestamp` carries epoch seconds and `x-venuekit-signature`
 * `sha256=<hex>`: the HMAC-SHA256 of `<timestamp>.<body>`. Receivers compute it anew, compare in
 * constant time ({@link verifyWebhook} does), and refuse old timestamps.
 *
 * @throws TypeError when an option can't be meant; no message repeats url or secret.
 */
export function webhookNotifier(options: WebhookOptions): Notifier {
  requireKnown('webhookNotifier', options, ['url', 'secret', 'name', 'headers', 'clock', 'fetch']);
  const { secret, headers, clock = systemClock, fetch } = options;
  const name = requireText('name', options.name ?? 'webhook');
  const url = requireUrl('url', options.url);
  if (secret !== undefined && (typeof secret !== 'string' || secret === ''))
    throw new TypeError('secret must be a non-empty string; its value is not shown');
  const key = secret === undefined ? undefined : importKey(secret);
  // A key that can't be made shows with the first alert, not as an unhandled rejection.
  key?.catch(() => {});
  return {
    name,
    async notify(group: AlertGroup, signal: AbortSignal): Promise<void> {
      const body = JSON.stringify(webhookPayload(group, name));
      const timestamp = String(Math.floor(clock.now() / 1000));
      const signed =
        key === undefined ? {} : { 'x-venuekit-timestamp': timestamp, 'x-venuekit-signature': `sha256=${await sign(await key, timestamp, body)}` };
      await postJson({ what: `The webhook "${name}"`, url, headers: { ...headers, ...signed }, fetch }, body, signal);
    },
  };
}

/** Whether a webhook's body was signed with `secret` not longer than `maxAgeMs` ago. For receivers. */
export async function verifyWebhook(
  message: { readonly body: string; readonly timestamp: string; readonly signature: string },
  secret: string,
  options: { readonly maxAgeMs?: number; readonly clock?: Clock } = {},
): Promise<boolean> {
  const { maxAgeMs = 300_000, clock = systemClock } = options;
  const { body, timestamp, signature } = message;
  if (!/^\d+$/.test(timestamp) || Math.abs(clock.now() - Number(timestamp) * 1000) > maxAgeMs) return false;
  const hex = /^sha256=([0-9a-f]{64})$/.exec(signature)?.[1];
  if (hex === undefined) return false;
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  // The platform compares in constant time.
  return crypto.subtle.verify('HMAC', await importKey(secret), bytes, new TextEncoder().encode(`${timestamp}.${body}`));
}

function importKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

async function sign(key: CryptoKey, timestamp: string, body: string): Promise<string> {
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${timestamp}.${body}`));
  return Array.from(new Uint8Array(signature), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
