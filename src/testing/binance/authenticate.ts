import { createHmac, timingSafeEqual } from 'node:crypto';
import type { VenueCore } from '../venue/venue-core.js';
import { failure, missing, refusalReply, type WireReply } from './wire-reply.js';

/** What a caller of the served venue signs with. */
export interface Credentials {
  readonly apiKey: string;
  readonly secret: string;
}

const SIGNATURE = /&?signature=([^&]*)/;
const DEFAULT_WINDOW_MS = 5_000;

/** Checks key, signature and timestamp as Binance does; undefined where the request may pass. */
export function authenticate(
  core: VenueCore,
  credentials: Credentials,
  request: { readonly key: string | undefined; readonly query: string; readonly body: string; readonly params: URLSearchParams },
): WireReply | undefined {
  if (request.key === undefined || request.key === '') return failure(-2014, 'API-key format invalid.', 401);
  if (request.key !== credentials.apiKey) return failure(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
  const given = request.params.get('signature');
  if (given === null) return missing('signature');
  const signed = request.query.replace(SIGNATURE, '') + request.body.replace(SIGNATURE, '');
  const expected = createHmac('sha256', credentials.secret).update(signed).digest();
  const actual = Buffer.from(given, 'hex');
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return failure(-1022, 'Signature for this request is not valid.');
  const timestamp = Number(request.params.get('timestamp') ?? Number.NaN);
  if (!Number.isSafeInteger(timestamp)) return missing('timestamp');
  const window = Number(request.params.get('recvWindow') ?? core.fence?.defaultMs ?? DEFAULT_WINDOW_MS);
  if (!(window >= 0)) return failure(-1100, "Illegal characters found in parameter 'recvWindow'.");
  const refusal = core.checkStamp({ venueNow: timestamp, fenceMs: window });
  return refusal === undefined ? undefined : refusalReply(refusal, core.venueClock.venueNow());
}
