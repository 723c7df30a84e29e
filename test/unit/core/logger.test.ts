import { describe, expect, it } from 'vitest';
import { redact, redactingLogger, redactText } from '../../../src/core/logger.js';

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
    expect(redactText('connect postgres://bot:pass@db:5432/x, http://:p2@proxy')).toBe(
      'connect postgres://bot:[redacted]@db:5432/x, http://:[redacted]@proxy',
    );
    expect(redactText('https://venue:443/a@b')).toBe('https://venue:443/a@b');
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
