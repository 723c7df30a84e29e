import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abortable, onAbort } from '../../../src/core/abort.js';
import { asError, isVenueKitError, missingPeerError, VenueKitError } from '../../../src/core/errors.js';
import { Heap } from '../../../src/core/heap.js';
import { redact, redactingLogger, redactText } from '../../../src/core/logger.js';
import * as options from '../../../src/core/options.js';
import { seededRandom } from '../../../src/core/random.js';

describe('errors', () => {
  it('are told by brand and code, also when another copy of the package made them', () => {
    const foreign = Object.assign(new Error('x'), { code: 'CLOSED' });
    Object.defineProperty(foreign, Symbol.for('venuekit.error'), { value: true });
    expect(isVenueKitError(foreign, 'CLOSED')).toBe(true);
    expect(isVenueKitError(new VenueKitError('CLOSED', 'x'), 'OTHER')).toBe(false);
    expect(isVenueKitError(new Error('x'))).toBe(false);
    expect(isVenueKitError(null)).toBe(false);
  });

  it('keep their cause, and make an Error of whatever was thrown', () => {
    const cause = { code: -1007, message: 'Timeout waiting for response' };
    expect(asError(cause)).toMatchObject({ code: 'NOT_AN_ERROR', cause, message: expect.stringContaining('Timeout waiting') as string });
    const error = new Error('same');
    expect(asError(error)).toBe(error);
  });

  it('say which package is missing, what for, and what to do', () => {
    expect(missingPeerError('pg', 'The PostgreSQL journal', 'Run `npm install pg`.').message).toBe(
      'The PostgreSQL journal needs pg, which is not installed. Run `npm install pg`.',
    );
  });
});

describe('seededRandom', () => {
  it('gives the same sequence for the same seed, pinned so that every runtime agrees', () => {
    const random = seededRandom(7);
    const first = [random(), random(), random()];
    const again = seededRandom(7);
    expect([again(), again(), again()]).toEqual(first);
    expect(first.map((value) => Math.floor(value * 2 ** 32))).toMatchInlineSnapshot(`
      [
        3754171247,
        2826444102,
        3540072189,
      ]
    `);
    expect(seededRandom(8)()).not.toBe(first[0]);
  });

  it('is uniform on [0, 1): chi-squared over 64 cells stays below its 99.9 % quantile', () => {
    for (const seed of [0, 1, 2, -1, 12345]) {
      const random = seededRandom(seed);
      const cells = new Array<number>(64).fill(0);
      for (let i = 0; i < 64_000; i++) {
        const value = random();
        expect(value >= 0 && value < 1).toBe(true);
        cells[Math.floor(value * 64)]! += 1;
      }
      const chiSquared = cells.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
      expect(chiSquared).toBeLessThan(103.4);
    }
  });

  it('refuses a seed that is no number', () => {
    expect(() => seededRandom(Number.NaN)).toThrow(/seed must be a finite number, got NaN/);
  });
});

describe('Heap', () => {
  it('gives elements back in order, whatever was pushed and popped in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(fc.integer())), async (steps) => {
        const heap = new Heap<number>((a, b) => a < b);
        const model: number[] = [];
        for (const step of steps) {
          if (step === null) {
            expect(heap.pop()).toBe(model.sort((a, b) => a - b).shift());
          } else {
            heap.push(step);
            model.push(step);
          }
          expect(heap.size).toBe(model.length);
          expect(heap.peek()).toBe(model.length === 0 ? undefined : Math.min(...model));
        }
      }),
    );
  });
});

describe('option checks', () => {
  it('name option, expectation and value', () => {
    expect(() => options.requirePositive('max', 0)).toThrow(new RangeError('max must be a finite number above 0, got 0'));
    expect(() => options.requireInteger('max', 1.5, 1)).toThrow(new RangeError('max must be a whole number of 1 or more, got 1.5'));
    expect(() => options.requireNonNegative('ttlMs', Number.NaN)).toThrow(new RangeError('ttlMs must be a finite number of 0 or more, got NaN'));
    expect(() => options.requireFraction('reserve', '0.5' as never)).toThrow(new TypeError('reserve must be between 0 and 1, got "0.5"'));
    expect(() => options.requireOneOf('side', 'bye' as 'buy', ['buy', 'sell'])).toThrow(
      new RangeError('side must be one of "buy", "sell", got "bye"'),
    );
    expect(() => options.requireText('name', '')).toThrow('name must be a non-empty string, got ""');
    expect(() => options.requireMethods('clock', { now: 1 } as unknown as { now(): number }, ['now'])).toThrow(
      'clock must be an object with a method now, got 1 for it',
    );
    expect(() => options.requireWithin('depth', 6000, 1, 5000)).toThrow('depth must be between 1 and 5000, got 6000');
  });

  it('refuse an option that does not exist and suggest the one that was meant', () => {
    expect(() => options.requireKnown('ConnectionPool', { maxx: 1 }, ['max', 'min'])).toThrow(
      'ConnectionPool has no option "maxx"; did you mean "max"?',
    );
    expect(() => options.requireKnown('ConnectionPool', { colour: 1 }, ['max', 'min'])).toThrow('ConnectionPool has no option "colour"');
  });
});

describe('redaction', () => {
  it('hides members with secret names at any depth, in errors, maps and arrays', () => {
    const error = Object.assign(new Error('GET /order?symbol=BTC&signature=abc123&x=1 failed'), {
      config: { headers: { 'X-MBX-APIKEY': 'k3y' }, secret: 's' },
    });
    const shown = JSON.stringify(redact({ error, list: [new Map([['apiKey', 'k3y']])], password: 'p', note: 'fine' }));
    for (const secret of ['abc123', 'k3y', '"s"', '"p"']) expect(shown).not.toContain(secret);
    expect(shown).toContain('symbol=BTC');
    expect(shown).toContain('"note":"fine"');
  });

  it('cuts secrets out of URLs and headers in text', () => {
    expect(redactText('https://x/api?apiKey=AAA&symbol=BTC')).toBe('https://x/api?apiKey=[redacted]&symbol=BTC');
    expect(redactText('Authorization: Bearer zzz.yyy')).toBe('Authorization: Bearer [redacted]');
    expect(redactText('APCA-API-SECRET-KEY: qqq')).not.toContain('qqq');
    expect(redactText('{"listenKey":"lll"}')).not.toContain('lll');
  });

  it('names cycles and buffers instead of following them', () => {
    const cyclic: Record<string, unknown> = { body: new Uint8Array(3) };
    cyclic.self = cyclic;
    expect(redact(cyclic)).toEqual({ body: '[Uint8Array of 3 bytes]', self: '[circular]' });
  });

  it('stands between every module and the logger of the host', () => {
    const lines: unknown[] = [];
    const logger = redactingLogger({ debug() {}, info() {}, warn: (...line) => lines.push(line), error() {} });
    logger.warn({ token: 't' }, 'failed with token=t1');
    expect(lines).toEqual([[{ token: '[redacted]' }, 'failed with token=[redacted]']]);
  });
});

describe('abort', () => {
  it('ends the wait of one caller and leaves the shared promise to the others', async () => {
    const shared = Promise.withResolvers === undefined ? deferred<number>() : Promise.withResolvers<number>();
    const controller = new AbortController();
    const impatient = abortable(shared.promise, controller.signal);
    const patient = abortable(shared.promise, new AbortController().signal);
    controller.abort(new Error('gave up'));
    shared.resolve(5);
    await expect(impatient).rejects.toThrow('gave up');
    await expect(patient).resolves.toBe(5);
  });

  it('calls back at once for a signal that has aborted, and never after disposal', () => {
    const reasons: string[] = [];
    onAbort(AbortSignal.abort(new Error('before')), (reason) => reasons.push(reason.message));
    const controller = new AbortController();
    onAbort(controller.signal, (reason) => reasons.push(reason.message))[Symbol.dispose]();
    controller.abort(new Error('after'));
    expect(reasons).toEqual(['before']);
  });
});

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
