import type { Fault } from '../../../../src/testing/index.js';
import { ATTEMPT_MS, type Subject } from './subject.js';

type Terms = Omit<Fault, 'operation'>;

/** What happens to one request, or to its answer, once. */
export const FAULTS: Readonly<Record<string, (subject: Subject) => Terms | undefined>> = {
  'nothing goes wrong': () => undefined,
  'a lost answer': () => ({ when: 'after', kind: 'drop', times: 1 }),
  'a lost request': () => ({ when: 'before', kind: 'drop', times: 1 }),
  'a reset before the venue acts': () => ({ when: 'before', kind: 'reset', times: 1 }),
  'a reset after the venue has acted': () => ({ when: 'after', kind: 'reset', times: 1 }),
  '503 with a page of HTML, before': () => ({ when: 'before', kind: 'html', times: 1 }),
  '503 with a page of HTML, after': () => ({ when: 'after', kind: 'html', times: 1 }),
  'half a body': () => ({ when: 'after', kind: 'half_body', times: 1 }),
  'an answer that the outcome is unknown, after': ({ ambiguous }) => ambiguous,
  'HTTP 429': () => ({ when: 'before', kind: 'status', status: 429, ms: 300, times: 1 }),
  'HTTP 418, a ban': () => ({ when: 'before', kind: 'status', status: 418, ms: 300, times: 1 }),
  'a request delivered twice': () => ({ when: 'before', kind: 'duplicate', times: 1 }),
  'an answer after the SDK’s timeout': () => ({ when: 'after', kind: 'delay', ms: ATTEMPT_MS + 500, times: 1 }),
};
