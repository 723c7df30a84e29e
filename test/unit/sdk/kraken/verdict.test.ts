import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, isNotFound, verdictOf } from '../../../../src/sdk/kraken/verdict.js';

const NOW = 1_733_815_000_000;
const CAUSE = new Error('of the SDK');

const said = (...errors: string[]) => verdictOf({ sent: true, status: 200, body: JSON.stringify({ error: errors }) }, CAUSE, NOW);

describe('what Kraken’s errors prove', () => {
  it.each([
    ['EAPI:Rate limit exceeded', 'refused', 'rest'],
    ['EGeneral:Too many requests', 'refused', 'rest'],
    ['EOrder:Rate limit exceeded', 'refused', 'engine'],
    ['EOrder:Domain rate limit exceeded', 'refused', 'engine'],
    ['EService:Timeout', 'unknown', undefined],
    ['EService:Unavailable', 'unknown', undefined],
    ['EService:Busy', 'unknown', undefined],
    ['EService:Deadline elapsed', 'unknown', undefined],
    ['EGeneral:Internal error', 'unknown', undefined],
    ['EGeneral:Internal error[:abc]', 'unknown', undefined],
    ['EAPI:Invalid nonce', 'unknown', undefined],
    ['ESomething:Nobody has heard of', 'unknown', undefined],
    ['EService:Market in post_only mode', 'rejected', undefined],
    ['EOrder:Insufficient funds', 'rejected', undefined],
    ['EOrder:Orders limit exceeded', 'rejected', undefined],
    ['EOrder:Unknown order', 'rejected', undefined],
    ['EGeneral:Invalid arguments:volume', 'rejected', undefined],
    ['EQuery:Unknown asset pair', 'rejected', undefined],
    ['EAPI:Invalid key', 'rejected', undefined],
    ['EGeneral:Invalid arguments:cl_ord_id not unique', 'duplicate', undefined],
    ['EOrder:Duplicate cl_ord_id', 'duplicate', undefined],
    ['EOrder:cl_ord_id already in use', 'duplicate', undefined],
    // Of another form than Kraken takes: nothing to look for.
    ['EGeneral:Invalid arguments:cl_ord_id', 'rejected', undefined],
    ['EOrder:cl_ord_id is not supported on conditional close', 'rejected', undefined],
  ])('%s: %s', (error, kind, limit) => {
    const { verdict, ...rest } = said(error);
    expect(verdict).toMatchObject({ kind, cause: CAUSE });
    expect(rest.limit).toBe(limit);
  });

  it('a lockout is a ban of a quarter of an hour', () => {
    expect(said('EGeneral:Temporary lockout').verdict).toMatchObject({ kind: 'refused', ban: true, retryAfterMs: 900_000 });
  });

  it('a throttle says until when', () => {
    expect(said('EService: Throttled: 1733815010').verdict).toMatchObject({ kind: 'refused', retryAfterMs: 10_000 });
    expect(said('EService:Throttled').verdict).not.toHaveProperty('retryAfterMs');
  });

  it('a deadline that is no valid one comes of a clock that is off', () => {
    expect(said('EGeneral:Invalid arguments:deadline').verdict).toMatchObject({ kind: 'refused', resyncClock: true });
  });

  it('of several errors the one that proves least counts, and warnings not at all', () => {
    expect(said('EOrder:Insufficient funds', 'EService:Timeout').verdict.kind).toBe('unknown');
    expect(said('WGeneral:Danger', 'EOrder:Insufficient funds').verdict).toMatchObject({ kind: 'rejected', code: 'EOrder:Insufficient funds' });
    expect(said('WGeneral:Danger').verdict.kind).toBe('unknown');
  });

  it('nothing is proved by what is not Kraken’s own answer, but by what never left', () => {
    const http = (status: number, body = '<html></html>') => verdictOf({ sent: true, status, body }, CAUSE, NOW).verdict;
    expect([http(502), http(520), http(200, '{"error":["EOrd')].map(({ kind }) => kind)).toEqual(['unknown', 'unknown', 'unknown']);
    // Behind a status that is not 200 the words may be anybody's.
    expect(http(504, '{"error":["EOrder:Insufficient funds"]}').kind).toBe('unknown');
    expect(http(403)).toMatchObject({ kind: 'refused', ban: true });
    expect(verdictOf({ sent: true, status: 429, headers: { 'retry-after': '7' } }, CAUSE, NOW).verdict).toMatchObject({ retryAfterMs: 7_000 });
    expect(verdictOf({ sent: true }, CAUSE, NOW).verdict.kind).toBe('unknown');
    expect(verdictOf({ sent: true }, Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), NOW).verdict.kind).toBe('not_sent');
    expect(verdictOf({ sent: false }, CAUSE, NOW).verdict.kind).toBe('not_sent');
  });

  it('a look-up that finds nothing says so in one of two ways', () => {
    expect(isNotFound(said('EOrder:Invalid order'))).toBe(true);
    expect(isNotFound(said('EQuery:Unknown order'))).toBe(true);
    expect(isNotFound(said('EService:Timeout'))).toBe(false);
    expect(isNotFound(said('EOrder:Insufficient funds'))).toBe(false);
  });

  it('each row has its source, and every error that ccxt knows of trading is in one of them', () => {
    for (const { source } of ERROR_TABLE) expect(source).toMatch(/docs\.kraken\.com|support\.kraken\.com|krakenfx/);
    const known = Object.keys((new ccxt.kraken() as unknown as { exceptions: { exact: Record<string, unknown> } }).exceptions.exact);
    const unlisted = known.filter((words) => !ERROR_TABLE.some(({ error }) => error.test(words)));
    expect(unlisted).toEqual([]);
  });
});
