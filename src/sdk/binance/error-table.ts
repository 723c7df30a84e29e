/** How an answer of Binance is recognised, what it proves, and where that is from. */
export interface ErrorRow {
  /** First and last HTTP status, or that of an answer over WebSocket. Absent: any. */
  readonly status?: readonly [first: number, last: number];
  /** Absent: any code, or none. */
  readonly code?: number;
  /** The whole of what is said. */
  readonly message?: string;
  /** Whether it must be Binance's own answer, which has a code; without it somebody before it has answered. */
  readonly isItsOwn?: true;
  readonly verdict: 'refused' | 'rejected' | 'duplicate' | 'unknown';
  readonly isBan?: true;
  readonly resyncClock?: true;
  readonly source: string;
}

const DOCS = 'developers.binance.com, Binance spot API';
const CODES = `${DOCS}, error codes`;
const RETURNED = `${DOCS}, HTTP return codes`;

/**
 * What Binance's answers prove; the first row that fits counts. Whatever is not here is an unknown outcome. The SDKs' error classes
 * take no part in it: ambiguous and final answers come in the same ones.
 */
export const ERROR_TABLE: readonly ErrorRow[] = [
  { status: [429, 429], verdict: 'refused', source: `${RETURNED}: 429 when a request rate limit is broken; Retry-After says for how long` },
  { status: [418, 418], verdict: 'refused', isBan: true, source: `${RETURNED}: 418 when an IP has been banned for going on after 429` },
  { code: -1003, verdict: 'refused', source: `${CODES}: TOO_MANY_REQUESTS, refused before it is executed` },
  { code: -1015, verdict: 'refused', source: `${CODES}: TOO_MANY_ORDERS, refused before it is executed` },
  { status: [403, 403], verdict: 'refused', isBan: true, source: `${RETURNED}: 403 when the web application firewall's limit is violated` },
  { status: [500, 599], verdict: 'unknown', source: `${RETURNED}: 5XX is no failure; the execution status is unknown, and may have been a success` },
  { code: -1000, verdict: 'unknown', source: `${CODES}: UNKNOWN, an unknown error while the request was processed` },
  { code: -1001, verdict: 'unknown', source: `${CODES}: DISCONNECTED, an internal error; unable to process the request` },
  { code: -1006, verdict: 'unknown', source: `${CODES}: UNEXPECTED_RESP, execution status unknown` },
  { code: -1007, verdict: 'unknown', source: `${CODES}: TIMEOUT, send status unknown; execution status unknown` },
  {
    status: [400, 499],
    code: -1021,
    verdict: 'refused',
    resyncClock: true,
    source: `${CODES}: INVALID_TIMESTAMP, outside of the recvWindow, so never executed`,
  },
  {
    status: [400, 499],
    code: -2010,
    message: 'Duplicate order sent.',
    verdict: 'duplicate',
    source: `${CODES}, messages of -2010: the client order id is that of an open order; the same code says that funds are lacking`,
  },
  { status: [400, 499], isItsOwn: true, verdict: 'rejected', source: `${RETURNED}: 4XX, the issue is on the sender's side` },
];

/** @param code - of Binance's own answer; undefined for anybody else's. */
export function rowOf(status: number, code: number | undefined, message: string): ErrorRow | undefined {
  return ERROR_TABLE.find(
    (row) =>
      (row.status === undefined || (status >= row.status[0] && status <= row.status[1])) &&
      (row.code === undefined || row.code === code) &&
      (row.message === undefined || row.message === message) &&
      (row.isItsOwn === undefined || code !== undefined),
  );
}
