import { createHmac, createPrivateKey, createSecretKey, type KeyObject, sign } from 'node:crypto';

/** What the SDK object holds; read anew for each request, since hosts rotate keys. */
export interface BinanceCredentials {
  readonly apiKey: string;
  /** The shared secret, or the PEM of an RSA or Ed25519 private key. */
  readonly secret: string;
  /** Of that PEM. */
  readonly passphrase?: string;
}

type Params = Readonly<Record<string, unknown>>;

/** Signs requests. Source: binance-spot-api-docs, web-socket-api.md and rest-api.md, request security. */
export class RequestSigner {
  readonly #credentials: () => BinanceCredentials;
  /** Prepared once, until the host rotates it. */
  #key: { readonly secret: string; readonly key: KeyObject } | undefined;

  constructor(credentials: () => BinanceCredentials) {
    this.#credentials = credentials;
  }

  /** `params` with key and signature; the signature is over all others, sorted by name. */
  sign(params: Params): Params {
    const credentials = this.#credentials();
    const { apiKey } = credentials;
    const all: Record<string, unknown> = { ...params, apiKey };
    const payload = Object.keys(all)
      .sort()
      .map((name) => `${name}=${String(all[name])}`)
      .join('&');
    all.signature = this.#signature(payload, credentials);
    return all;
  }

  /** The signature of a query of the REST API, over its text as it is sent. */
  signQuery(query: string): string {
    return this.#signature(query, this.#credentials());
  }

  #signature(payload: string, { secret, passphrase }: BinanceCredentials): string {
    if (this.#key?.secret !== secret) this.#key = { secret, key: keyOf(secret, passphrase) };
    const { key } = this.#key;
    if (key.type === 'secret') return createHmac('sha256', key).update(payload).digest('hex');
    return sign(key.asymmetricKeyType === 'rsa' ? 'RSA-SHA256' : null, Buffer.from(payload), key).toString('base64');
  }
}

function keyOf(secret: string, passphrase: string | undefined): KeyObject {
  if (!secret.includes('PRIVATE KEY')) return createSecretKey(secret, 'utf8');
  return createPrivateKey(passphrase === undefined ? secret : { key: secret, passphrase });
}
