import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, isNotFound, retryAfterOf, verdictOf } from '../../../../src/sdk/alpaca/verdict.js';
import { readerOf } from '../../../../src/sdk/shared/http-facts.js';

const NOW = 1_700_000_000_000;
const body = (code: number | undefined, message: string): string => JSON.stringify({ ...(code === undefined ? {} : { code }), message });
const of = (status: number | undefined, text?: string, headers?: Record<string, string>) =>
  verdictOf(
    {
      sent: true,
      ...(status === undefined ? {} : { status }),
      ...(text === undefined ? {} : { body: text }),
      ...(headers === undefined ? {} : { headers }),
    },
    new Error('as the SDK says it'),
    NOW,
  );

describe('what Alpaca’s answers prove', () => {
  it('is said with a source in every row of the table', () => {
    for (const row of ERROR_TABLE) expect(row.source).toMatch(/docs\.alpaca\.markets/);
  });

  it.each([
    ['a limit', 429, body(42_910_000, 'rate limit exceeded'), { kind: 'refused' }],
    ['a limit, in a page of HTML', 429, '<html></html>', { kind: 'refused' }],
    ['an id that was used', 422, body(40_010_001, 'client_order_id must be unique'), { kind: 'duplicate' }],
    ['the same code in other words', 422, body(40_010_001, 'limit_price is malformed'), { kind: 'rejected', code: '40010001' }],
    ['input that is not accepted', 422, body(42_210_000, 'invalid qty'), { kind: 'rejected', code: '42210000' }],
    ['no money', 403, body(40_310_000, 'insufficient buying power'), { kind: 'rejected', code: '40310000' }],
    ['keys of the other environment', 403, body(undefined, 'forbidden.'), { kind: 'rejected', code: '403' }],
    ['a firewall', 403, '<html>Forbidden</html>', { kind: 'refused', ban: true }],
    ['no such order', 404, body(40_410_000, 'order not found'), { kind: 'rejected', code: '40410000' }],
    ['a gateway that knows no such path', 404, '<html></html>', { kind: 'unknown' }],
    ['no credentials', 401, body(40_110_000, 'request is not authorized'), { kind: 'rejected' }],
    ['a server’s error', 500, body(50_010_000, 'internal server error occurred'), { kind: 'unknown' }],
    ['a timeout of the gateway', 504, body(50_410_000, 'gateway timeout'), { kind: 'unknown' }],
    ['a request timeout', 408, body(undefined, 'timeout'), { kind: 'unknown' }],
    ['success that can’t be read', 200, '{"id":"8f', { kind: 'unknown' }],
    ['nothing at all', undefined, undefined, { kind: 'unknown' }],
  ] as const)('%s', (_, status, text, verdict) => {
    expect(of(status, text)).toMatchObject(verdict);
  });

  it('is nothing of a request that never left, and of one whose connection was never made', () => {
    expect(verdictOf({ sent: false }, new Error('held back'), NOW).kind).toBe('not_sent');
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    const failed = new TypeError('fetch failed', { cause: new AggregateError([refused, refused]) });
    expect(verdictOf({ sent: true }, failed, NOW).kind).toBe('not_sent');
    const mixed = new TypeError('fetch failed', { cause: new AggregateError([refused, Object.assign(new Error('reset'), { code: 'ECONNRESET' })]) });
    expect(verdictOf({ sent: true }, mixed, NOW).kind).toBe('unknown');
  });

  it('says how long to wait by Retry-After, else by the reset of the limit', () => {
    expect(retryAfterOf(readerOf({ 'retry-after': '3', 'x-ratelimit-reset': '9999999999' }), NOW)).toBe(3_000);
    expect(retryAfterOf(readerOf({ 'x-ratelimit-reset': String(NOW / 1_000 + 7) }), NOW)).toBe(7_000);
    expect(retryAfterOf(readerOf({ 'x-ratelimit-reset': '1' }), NOW)).toBe(0);
    expect(retryAfterOf(readerOf({}), NOW)).toBeUndefined();
    expect(of(429, body(42_910_000, ''), { 'x-ratelimit-reset': String(NOW / 1_000 + 7) })).toMatchObject({ retryAfterMs: 7_000 });
  });

  it('takes only Alpaca’s own 404 for an order that is not there', () => {
    expect(isNotFound({ sent: true, status: 404, body: body(40_410_000, 'order not found') })).toBe(true);
    expect(isNotFound({ sent: true, status: 404, body: '<html></html>' })).toBe(false);
  });
});
