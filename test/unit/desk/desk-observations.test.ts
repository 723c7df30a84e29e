import { describe, expect, it } from 'vitest';
import { type DeskObservations, judge } from '../../integration/desk/desk-observations.js';

/** A desk that kept everything: 60 units of 100 in each window, each 1 ms on its way. */
function givenAGoodRun(over: Partial<DeskObservations> = {}): DeskObservations {
  const sent = Array.from({ length: 600 }, (_, i) => ({ at: i * 16, units: 1 })).filter(({ at }) => at < 5_000 || at > 5_800);
  return {
    limit: { units: 100, perMs: 1_000 },
    leaseMs: 5_000,
    sent,
    arrived: sent.map(({ at, units }) => ({ at: at + 1, units, tookMs: 1 })),
    bans: [{ toldAt: 5_000, forMs: 800 }],
    takeovers: [{ after: 'stopped', ms: 5_600 }],
    ...over,
  };
}

describe('the judge of a desk', () => {
  it('finds nothing wrong with a run that kept everything', () => {
    expect(judge(givenAGoodRun())).toEqual([]);
  });

  it('finds a limit that was exceeded, as sent, and at the venue alone', () => {
    const { sent } = givenAGoodRun();
    const burst = Array.from({ length: 60 }, (_, i) => ({ at: 2_000 + i, units: 1 }));
    expect(judge(givenAGoodRun({ sent: [...sent, ...burst] }))).toEqual([expect.stringMatching(/^12\d units were sent within a window of 100/)]);
    const together = sent.map(({ at, units }) => ({ at: at < 2_000 ? 2_000 : at + 1, units, tookMs: 1 }));
    expect(judge(givenAGoodRun({ arrived: together }))).toEqual([
      expect.stringMatching(/units arrived, at ways that differ by 0 ms, within a window/),
    ]);
  });

  it('does not pass a run whose ways differ so much that nothing could exceed the limit at the venue', () => {
    const { arrived } = givenAGoodRun();
    expect(judge(givenAGoodRun({ arrived: [...arrived, { at: 9_000, units: 1, tookMs: 600 }] }))).toEqual([
      expect.stringMatching(/ways to the venue differ by 599 ms, so that a window of 1000 ms can't be judged/),
    ]);
    expect(judge(givenAGoodRun({ arrived: [] }))).toEqual([expect.stringMatching(/differ by Infinity ms/)]);
  });

  it('finds a process that obeys a ban late, and a standby that takes over late', () => {
    const { sent } = givenAGoodRun();
    expect(judge(givenAGoodRun({ sent: [...sent, { at: 5_051, units: 1 }] }))).toEqual([
      expect.stringMatching(/^ban 1 was obeyed by all after 51.0 ms/),
    ]);
    expect(judge(givenAGoodRun({ sent: [...sent, { at: 5_049, units: 1 }] }))).toEqual([]);
    expect(judge(givenAGoodRun({ takeovers: [{ after: 'killed', ms: 7_001 }] }))).toEqual([expect.stringMatching(/^a takeover took 7001 ms/)]);
  });

  it('does not pass a run in which limit, bans or takeovers were not tried', () => {
    const few = givenAGoodRun().sent.filter((_, i) => i % 3 === 0);
    const arrived = few.map(({ at, units }) => ({ at, units, tookMs: 1 }));
    expect(judge(givenAGoodRun({ sent: few, arrived, bans: [], takeovers: [] }))).toEqual([
      expect.stringMatching(/the limit was not tried/),
      'no ban was tried',
      'no takeover was tried',
    ]);
  });
});
