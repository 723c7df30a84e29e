import type { SimulatedSession } from './simulated-session.js';

/** What can be made to go wrong, to see whether somebody notices. */
export type FaultKind = 'latency step' | 'error burst' | 'hit-rate drop' | 'slow leak';

interface InjectedKind {
  /** Where it should be found: the component of an insight or an alert. */
  readonly component: 'venue' | 'cache' | 'pool';
  /** How long it lasts unless told; for good where absent. */
  readonly lastsS?: number;
  inject(session: SimulatedSession): Disposable;
}

const RASH = 10;

/**
 * Each comes on at once, and ends when the result is disposed.
 *
 * | kind | what happens |
 * |---|---|
 * | latency step | every answer of the venue takes 20 ms more, on a median of 8 ms |
 * | error burst | 40 % of the requests get HTTP 503, for 45 s |
 * | hit-rate drop | the strategies allow quotes a tenth of their age, as after a rash change of settings |
 * | slow leak | every 20 s a session of the pool is taken and never given back |
 */
export const INJECTED_FAULTS: Readonly<Record<FaultKind, InjectedKind>> = {
  'latency step': {
    component: 'venue',
    inject: ({ venue }) => venue.fault({ when: 'after', kind: 'delay', ms: 20 }),
  },
  'error burst': {
    component: 'venue',
    lastsS: 45,
    inject: ({ venue }) => venue.fault({ when: 'before', kind: 'status', status: 503, probability: 0.4 }),
  },
  'hit-rate drop': {
    component: 'cache',
    inject: ({ desk }) => {
      const before = desk.ageFactor;
      desk.ageFactor = before / RASH;
      return {
        [Symbol.dispose]: () => {
          desk.ageFactor = before;
        },
      };
    },
  },
  'slow leak': {
    component: 'pool',
    inject: ({ pool, clock }) => {
      let timer: Disposable;
      const leak = (): void => {
        timer = clock.schedule(20_000, leak);
        // The session that nobody gives back; when the pool has none left, nobody waits for one either.
        void pool.acquire({ deadlineMs: 1_000 }).catch(() => {});
      };
      leak();
      return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
    },
  },
};

export const FAULT_KINDS = Object.keys(INJECTED_FAULTS) as readonly FaultKind[];
