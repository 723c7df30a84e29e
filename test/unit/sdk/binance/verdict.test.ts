import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, rowOf } from '../../../../src/sdk/binance/error-table.js';
import { STATUS_OF_CODE } from '../../../../src/sdk/binance/sdks/sdk-api-node.js';
import { verdictOf } from '../../../../src/sdk/binance/verdict.js';
import type { CallRecord } from '../../../../src/sdk/ccxt/call-record.js';

const answered = (status: number, body: string | object = '', headers: Record<string, string> = {}): CallRecord => ({
  sent: true,
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const kindOf = (record: CallRecord, error: unknown = new Error('sdk')): string => verdictOf(record, error).kind;

describe('what a failed call to Binance proves', () => {
  it('regression: stood in code alone; it is said with a source in every row of a table', () => {
    expect(ERROR_TABLE.length).toBeGreaterThan(10);
    for (const { source } of [...ERROR_TABLE, ...STATUS_OF_CODE]) expect(source).toMatch(/^developers\.binance\.com, .+: .+/);
  });

  it('is the same by code alone, where an SDK hides the status, as by both', () => {
    for (let code = -3_000; code <= -900; code++) {
      const status = STATUS_OF_CODE.find(({ codes: [first, last] }) => code >= first && code <= last)?.status;
      const verdict = rowOf(400, code, 'x')?.verdict;
      // What is not known to be final by its code stays unknown.
      expect([code, status === undefined ? 'unknown' : rowOf(status, code, 'x')?.verdict]).toEqual([
        code,
        status === undefined ? 'unknown' : verdict,
      ]);
    }
  });

  it('is "not sent" when the request never left, whatever the SDK threw', () => {
    expect(kindOf({ sent: false }, new TypeError('bad argument'))).toBe('not_sent');
    expect(kindOf({ sent: true }, new Error('binance POST https://x fetch failed: connect ECONNREFUSED 127.0.0.1:1'))).toBe('not_sent');
    expect(kindOf({ sent: true }, new Error('binance POST https://x fetch failed: getaddrinfo ENOTFOUND api.binance.com'))).toBe('not_sent');
  });

  it('is unknown after a timeout, a reset, or a message that merely mentions a refused connection', () => {
    expect(kindOf({ sent: true }, new Error('request timed out (10000 ms)'))).toBe('unknown');
    expect(kindOf({ sent: true }, new Error('fetch failed: read ECONNRESET'))).toBe('unknown');
    expect(kindOf({ sent: true }, new Error('fetch failed: other side closed'))).toBe('unknown');
    expect(kindOf({ sent: true }, { weird: true })).toBe('unknown');
  });

  it.each([
    [500, { code: -1000, msg: 'An unknown error occurred' }],
    [503, '<html>Service Unavailable</html>'],
    [504, { code: -1007, msg: 'Timeout waiting for response from backend server. Send status unknown; execution status unknown.' }],
    [400, { code: -1006, msg: 'Execution status unknown.' }],
    [400, { code: -1001, msg: 'Internal error' }],
    [400, '<html>proxy</html>'],
    [200, 'half of a bo'],
  ])('is unknown for %d %j', (status, body) => {
    expect(kindOf(answered(status, body))).toBe('unknown');
  });

  it('is a refusal with the venue’s own waiting time for 429, -1003 and -1015', () => {
    expect(verdictOf(answered(429, { code: -1003, msg: 'Too many requests' }, { 'retry-after': '7' }), null)).toMatchObject({
      kind: 'refused',
      retryAfterMs: 7_000,
    });
    expect(verdictOf(answered(400, { code: -1015, msg: 'Too many new orders' }), null)).toEqual({ kind: 'refused', cause: null });
  });

  it('is a ban for 418, and for the page of a firewall', () => {
    expect(verdictOf(answered(418, '', { 'retry-after': '120' }), null)).toMatchObject({ kind: 'refused', ban: true, retryAfterMs: 120_000 });
    expect(verdictOf(answered(403, '<html>WAF</html>'), null)).toMatchObject({ kind: 'refused', ban: true });
  });

  it('asks for the clock when the request came outside of its window', () => {
    expect(verdictOf(answered(400, { code: -1021, msg: 'Timestamp for this request is outside of the recvWindow.' }), null)).toMatchObject({
      kind: 'refused',
      resyncClock: true,
    });
  });

  it('tells a duplicate id from a lack of funds, which share a code and an SDK class', () => {
    expect(kindOf(answered(400, { code: -2010, msg: 'Duplicate order sent.' }))).toBe('duplicate');
    expect(verdictOf(answered(400, { code: -2010, msg: 'Account has insufficient balance for requested action.' }), null)).toMatchObject({
      kind: 'rejected',
      code: '-2010',
    });
  });

  it('is a rejection, with its code, for what the venue found wrong', () => {
    for (const code of [-1013, -1022, -1121, -2011, -2013, -2014])
      expect(verdictOf(answered(400, { code, msg: 'x' }), null)).toMatchObject({ kind: 'rejected', code: String(code) });
  });
});
