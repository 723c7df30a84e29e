import { createHmac, createPrivateKey, createSecretKey, type KeyObject, sign } from 'node:crypto';

/** What the SDK object holds; read anew for each request, since hosts rotate keys. */
export interface BinanceCredentials {
  readonly apiKey: string;
  /** The shared secret, or the PEM of an RSA or Ed25519 private key. */
  readonly secret: string;
}

type Params = Readonly<Record<string, unknown>>;

/** Signs requests of the WebSocket API. Source: binance-spot-api-docs, web-socket-api.md, request security. */
export class RequestSigner {
  readonly #credentials: () => BinanceCredentials;
  /** Prepared once, until the host rotates it. */
  #key: { readonly secret: string; readonly key: KeyObject } | undefined;

  constructor(credentials: () => BinanceCredentials) {
    this.#credentials = credentials;
  }

  /** `params` with key and signature; the signature is over all others, sorted by name. */
  sign(params: Params): Params {
    const { apiKey, secret } = this.#credentials();
    const all: Record<string, unknown> = { ...params, apiKey };
    const payload = Object.keys(all)
      .sort()
      .map((name) => `${name}=${String(all[name])}`)
      .join('&');
    all.signature = this.#signature(payload, secret);
    return all;
  }

  #signature(payload: string, secret: string): string {
    if (this.#key?.secret !== secret) this.#key = { secret, key: keyOf(secret) };
    const { key } = this.#key;
    if (key.type === 'secret') return createHmac('sha256', key).update(payload).digest('hex');
    return sign(key.asymmetricKeyType === 'rsa' ? 'RSA-SHA256' : null, Buffer.from(payload), key).toString('base64');
  }
}

function keyOf(secret: string): KeyObject {
  return secret.includes('PRIVATE KEY') ? createPrivateKey(secret) : createSecretKey(secret, 'utf8');
}
