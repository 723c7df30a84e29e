import type { TradingErrorCode } from '../../contracts/trading-error.js';
import type { HttpFacts } from './http-facts.js';

/** How an error is recognised that an SDK, or what it sends by, throws of itself before anything is sent, and where that is from. */
export interface LocalFailureRow {
  /** The SDKs that were seen to throw it. */
  readonly sdks: string;
  /** `code` of the error, or of one that it was made of. */
  readonly code?: RegExp;
  readonly name?: string;
  readonly message?: RegExp;
  /** What is wrong: the credentials, or something else that the SDK was given. */
  readonly tells: Extract<TradingErrorCode, 'AUTH' | 'INVALID'>;
  readonly source: string;
}

/**
 * Failures that another try can't mend: nothing was sent, and nothing of what the SDK was given will be different the next time. The
 * first row that fits counts. Whatever is not here, such as an address that is not found, may pass.
 */
export const LOCAL_FAILURES: readonly LocalFailureRow[] = [
  {
    sdks: 'ccxt',
    name: 'AuthenticationError',
    message: / requires "\w+" credential$/,
    tells: 'AUTH',
    source: 'ccxt 4.5, checkRequiredCredentials of its base class: called before a request is signed',
  },
  {
    sdks: 'ccxt binance',
    name: 'RangeError',
    message: /^"secretKey" expected Uint8Array/,
    tells: 'AUTH',
    source: 'ccxt 4.5, the noble-curves that it brings along, of a private key that is none; seen',
  },
  {
    sdks: 'ccxt kraken',
    message: /^(?:Unknown letter: |padding: invalid, string should have whole number of bytes)/,
    tells: 'AUTH',
    source: 'ccxt 4.5, the scure-base that it brings along, of a secret that is no base64; seen',
  },
  {
    sdks: 'binance',
    message: /^Private endpoints require api and private keys to be set/,
    tells: 'AUTH',
    source: 'binance 3.6, BaseRestClient: of a signed call without keys',
  },
  {
    sdks: '@binance/spot',
    message: /^(?:Either 'apiSecret' or 'privateKey' must be provided|Invalid private key\.|Unsupported private key type\.)/,
    tells: 'AUTH',
    source: '@binance/common 2, RequestSigner, by which @binance/spot 32 signs: called before a request is sent',
  },
  {
    sdks: '@binance/connector',
    code: /^ERR_INVALID_ARG_TYPE$/,
    message: /"key" argument/,
    tells: 'AUTH',
    source: 'Node.js, crypto.createHmac without a secret, which @binance/connector 3.6 signs with; seen',
  },
  {
    sdks: '@binance/connector',
    code: /^ERR_OSSL_/,
    tells: 'AUTH',
    source: 'Node.js, crypto.createPrivateKey of a key that is none, or is locked; seen',
  },
  {
    sdks: 'Alpaca 3',
    code: /^ERR_INVALID_CHAR$/,
    tells: 'INVALID',
    source: 'Node.js, http, errors: a header with a character that none may have, such as a key with the end of a line in it; seen',
  },
  {
    sdks: 'ccxt, Alpaca 4',
    code: /^UND_ERR_INVALID_ARG$/,
    tells: 'INVALID',
    source: 'undici, the fetch of Node.js, errors: InvalidArgumentError, of the same header, among others; seen',
  },
  {
    sdks: 'binance-api-node',
    name: 'TypeError',
    message: /is not a legal HTTP header value$/,
    tells: 'INVALID',
    source: 'node-fetch 2, validateValue of its Headers; seen',
  },
];

const DEEPEST = 4;

/** The row of a failure that no other try can mend; undefined for all others, and for whatever has an answer. */
export function localFailureOf({ status }: Pick<HttpFacts, 'status'>, error: unknown): LocalFailureRow | undefined {
  return status === undefined ? rowOf(error, 0) : undefined;
}

function rowOf(error: unknown, depth: number): LocalFailureRow | undefined {
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return undefined;
  const { code, name, message, cause } = error as {
    readonly code?: unknown;
    readonly name?: unknown;
    readonly message?: unknown;
    readonly cause?: unknown;
  };
  const found = LOCAL_FAILURES.find(
    (row) =>
      (row.code === undefined || (typeof code === 'string' && row.code.test(code))) &&
      (row.name === undefined || row.name === name) &&
      (row.message === undefined || (typeof message === 'string' && row.message.test(message))),
  );
  return found ?? rowOf(cause, depth + 1);
}
