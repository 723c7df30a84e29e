import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto';

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
  #key: { readonly pem: string; readonly key: KeyObject } | undefined;

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
    if (!secret.includes('PRIVATE KEY')) return createHmac('sha256', secret).update(payload).digest('hex');
    if (this.#key?.pem !== secret) this.#key = { pem: secret, key: createPrivateKey(secret) };
    const { key } = this.#key;
    return sign(key.asymmetricKeyType === 'rsa' ? 'RSA-SHA256' : null, Buffer.from(payload), key).toString('base64');
  }
}
