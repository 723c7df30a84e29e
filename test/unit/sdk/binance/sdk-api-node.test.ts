import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ApiNodeClient, apiNodeSdk } from '../../../../src/sdk/binance/sdks/sdk-api-node.js';
import { SdkWire } from '../../../../src/sdk/binance/sdks/sdk-wire.js';
import { verdictOf } from '../../../../src/sdk/binance/verdict.js';

const NOW = 1_700_000_000_000;

afterEach(() => {
  vi.useRealTimers();
});

/** A client that signs as binance-api-node does: it takes its time first, and reads the parameters in a later turn. */
function givenClient(answer: (sent: Record<string, unknown>) => unknown = () => ({}), pauseMs = 0) {
  const sent: Record<string, unknown>[] = [];
  const privateRequest = (_method: string, _path: string, payload: object = {}): Promise<unknown> => {
    const timestamp = Date.now();
    return Promise.resolve().then(() => {
      vi.setSystemTime(Date.now() + pauseMs);
      const signed = { ...payload, timestamp };
      const request = { ...payload, timestamp };
      expect(request).toEqual(signed);
      sent.push(request);
      return answer(request);
    });
  };
  const client = { privateRequest, publicRequest: privateRequest, order: privateRequest, getInfo: () => ({}) } as unknown as ApiNodeClient;
  return { sent, wire: new SdkWire(apiNodeSdk(client), 0) };
}

function place(wire: SdkWire, timestamp: number, recvWindow: number) {
  const params = { symbol: 'BTCUSDT', timestamp, recvWindow };
  return wire.send({ method: 'POST', path: '/api/v3/order', params, isSigned: true }, new AbortController().signal);
}

describe('a signed request through binance-api-node, which puts a time of its own in it', () => {
  it.each([
    ['nothing has passed', NOW, 0, 2_000],
    ['it was held up before', NOW - 700, 0, 1_300],
    ['it is held up between the time that it takes and the reading of the parameters', NOW, 500, 1_500],
    ['the clock here is behind the venue’s', NOW + 900, 0, 2_000],
  ])('ends no later than its fence where %s', async (_, venueNow, pauseMs, window) => {
    vi.useFakeTimers({ now: NOW });
    const { wire, sent } = givenClient(undefined, pauseMs);
    expect(await place(wire, venueNow, 2_000)).toMatchObject({ result: {} });
    expect(sent).toEqual([{ symbol: 'BTCUSDT', timestamp: NOW, recvWindow: window }]);
  });

  it('is never sent once its fence is over, and asks for the clock', async () => {
    vi.useFakeTimers({ now: NOW });
    const { wire, sent } = givenClient(undefined, 2_000);
    const outcome = await place(wire, NOW, 2_000);
    expect(sent).toEqual([]);
    expect('error' in outcome && verdictOf(outcome.facts, outcome.error)).toMatchObject({ kind: 'refused', resyncClock: true });
  });

  it.each([
    [-1007, 'Timeout waiting for response from backend server.', { kind: 'unknown' }],
    [-1000, 'An unknown error occurred while processing the request.', { kind: 'unknown' }],
    [-1008, 'Request throttled by system-level protection.', { kind: 'unknown' }],
    [-1016, 'This service is no longer available.', { kind: 'unknown' }],
    [-1003, 'Too much request weight used; please wait before sending more requests.', { kind: 'refused' }],
    [-1003, `Way too much request weight used; IP banned until ${NOW + 5_000}.`, { kind: 'refused', ban: true, retryAfterMs: 5_000 }],
    [-1013, 'Filter failure: LOT_SIZE', { kind: 'rejected', code: '-1013' }],
    [-1102, 'Mandatory parameter was not sent.', { kind: 'rejected', code: '-1102' }],
    [-2010, 'Duplicate order sent.', { kind: 'duplicate' }],
    [-2010, 'Account has insufficient balance for requested action.', { kind: 'rejected', code: '-2010' }],
  ])('is read by its code %d, since the status is not shown: %s', async (code, message, verdict) => {
    vi.useFakeTimers({ now: NOW });
    const { wire } = givenClient(() => {
      throw Object.assign(new Error(message), { code, url: 'https://api.binance.com/api/v3/order?signature=abcdef' });
    });
    const outcome = await place(wire, NOW, 2_000);
    expect('error' in outcome && verdictOf(outcome.facts, outcome.error)).toMatchObject(verdict);
    expect(JSON.stringify(outcome)).not.toContain('abcdef');
  });
});
