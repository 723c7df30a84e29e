import type { Fault } from '../../testing/faults.js';

/** Ready mixtures of faults, by the name that `--faults` takes. */
export const FAULT_PRESETS: Readonly<Record<'calm' | 'light' | 'storm', readonly Fault[]>> = {
  calm: [],
  /** About one request in twenty, as on a venue's busy day. */
  light: mixture(1),
  /** About one in five, and streams that fall apart. */
  storm: [
    ...mixture(4),
    { when: 'after', kind: 'stream_drop', probability: 0.005 },
    { when: 'after', kind: 'stream_gap', probability: 0.01 },
    { when: 'after', kind: 'stream_duplicate', probability: 0.02 },
    { when: 'after', kind: 'stream_reorder', probability: 0.02 },
    { when: 'after', kind: 'stream_stall', ms: 3_000, probability: 0.002 },
  ],
};

function mixture(strength: number): readonly Fault[] {
  const share = (percent: number): number => (percent * strength) / 100;
  return [
    { when: 'before', kind: 'reset', probability: share(0.8) },
    { when: 'after', kind: 'reset', probability: share(1) },
    { when: 'after', kind: 'drop', probability: share(0.5) },
    { when: 'after', kind: 'status', status: 503, probability: share(0.8) },
    { when: 'before', kind: 'status', status: 502, probability: share(0.5) },
    { when: 'before', kind: 'status', status: 429, ms: 1_000, probability: share(0.2) },
    { when: 'after', kind: 'html', probability: share(0.3) },
    { when: 'after', kind: 'half_body', probability: share(0.3) },
    { when: 'before', kind: 'delay', ms: 1_500, probability: share(0.6) },
  ];
}
