import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { watchConnection } from '../../../src/sdk/shared/streams/watched-connection.js';

function given() {
  const clock = new ManualClock();
  let pong = (): void => {};
  const seen = { pings: 0, isEnded: false };
  const connection = {
    readyState: 1,
    ping: () => void seen.pings++,
    terminate: () => {
      seen.isEnded = true;
      connection.readyState = 3;
    },
    on: (_: 'pong', listener: () => void) => {
      pong = listener;
    },
  };
  const watch = watchConnection(connection, clock, new AbortController().signal);
  return { clock, seen, watch, pong: () => pong() };
}

describe('a watched connection', () => {
  it('lives as long as it answers, and is ended once it does not', async () => {
    const { clock, seen, pong } = given();
    for (let ping = 1; ping <= 3; ping++) {
      await clock.advance(10_000);
      expect(seen.pings).toBe(ping);
      pong();
    }
    await clock.advance(9_999);
    expect(seen.isEnded).toBe(false);
    await clock.advance(5_001);
    expect(seen.isEnded).toBe(true);
    await clock.advance(60_000);
    expect(seen.pings).toBe(4);
  });

  it('is asked nothing once nobody watches it any more', async () => {
    const { clock, seen, watch } = given();
    watch[Symbol.dispose]();
    await clock.advance(60_000);
    expect(seen).toEqual({ pings: 0, isEnded: false });
  });
});
