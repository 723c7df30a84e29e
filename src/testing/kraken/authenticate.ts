import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Credentials } from '../served/credentials.js';
import type { WireReply } from '../served/wire-reply.js';
import { failure } from './wire-reply.js';

/** A private request as it came in. */
export interface SignedRequest {
  /** Such as `/0/private/AddOrder`. */
  readonly path: string;
  readonly body: string;
  readonly nonce: string;
  readonly key: string | undefined;
  readonly signature: string | undefined;
}

/** Checks key, signature and nonce as Kraken does. Source: docs.kraken.com, Spot REST authentication. */
export class Authenticator {
  readonly #credentials: Credentials;
  /** A nonce must be above every one before it, so that no request counts twice. */
  #last = -1n;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** What to answer; undefined where the request may pass. */
  check({ path, body, nonce, key, signature }: SignedRequest): WireReply | undefined {
    if (key !== this.#credentials.apiKey) return failure('EAPI:Invalid key');
    if (signature === undefined || !this.#isSignature(path, nonce + body, signature)) return failure('EAPI:Invalid signature');
    if (!/^\d{1,20}$/.test(nonce) || BigInt(nonce) <= this.#last) return failure('EAPI:Invalid nonce');
    this.#last = BigInt(nonce);
    return undefined;
  }

  #isSignature(path: string, message: string, given: string): boolean {
    const digest = createHash('sha256').update(message).digest();
    const expected = createHmac('sha512', Buffer.from(this.#credentials.secret, 'base64')).update(path).update(digest).digest();
    const actual = Buffer.from(given, 'base64');
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  }
}
