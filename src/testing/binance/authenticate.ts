import { createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import type { Credentials } from '../served/credentials.js';
import type { WireReply } from '../served/wire-reply.js';
import type { VenueCore } from '../venue/venue-core.js';
import { failure, missing, refusalReply } from './wire-reply.js';

/** What the venue holds of them: the shared secret, or the public half of an Ed25519 key. */
export interface VenueCredentials extends Credentials {
  readonly publicKey?: KeyObject | undefined;
}

const DEFAULT_WINDOW_MS = 5_000;

/** Checks key, signature and timestamp as Binance does; undefined where the request may pass. */
export function authenticate(
  core: VenueCore,
  credentials: VenueCredentials,
  request: {
    readonly key: string | undefined;
    /** What may have been signed; one of them must have been. */
    readonly signed: readonly string[];
    readonly params: URLSearchParams;
    readonly isLoggedOn: boolean;
  },
): WireReply | undefined {
  const { params } = request;
  const given = params.get('signature');
  if (!request.isLoggedOn || request.key !== undefined) {
    if (request.key === undefined || request.key === '') return failure(-2014, 'API-key format invalid.', 401);
    if (request.key !== credentials.apiKey) return failure(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
    if (given === null) return missing('signature');
    if (!request.signed.some((payload) => isSignature(credentials, payload, given)))
      return failure(-1022, 'Signature for this request is not valid.');
  }
  const timestamp = Number(params.get('timestamp') ?? Number.NaN);
  if (!Number.isSafeInteger(timestamp)) return missing('timestamp');
  const window = Number(params.get('recvWindow') ?? core.fence?.defaultMs ?? DEFAULT_WINDOW_MS);
  if (!(window >= 0)) return failure(-1100, "Illegal characters found in parameter 'recvWindow'.");
  const refusal = core.checkStamp({ venueNow: timestamp, fenceMs: window });
  return refusal === undefined ? undefined : refusalReply(refusal, core.venueClock.venueNow());
}

function isSignature({ secret, publicKey }: VenueCredentials, payload: string, given: string): boolean {
  if (publicKey !== undefined) return verify(null, Buffer.from(payload), publicKey, Buffer.from(given, 'base64'));
  const expected = createHmac('sha256', secret).update(payload).digest();
  const actual = Buffer.from(given, 'hex');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
