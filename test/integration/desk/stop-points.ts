import type pg from 'pg';
import type { BrokerAdapter } from '../../../src/contracts/broker.js';
import { tell } from '../kill/trading.js';
import { hostMs } from './desk-observations.js';

/** Where on the way of an order its process stops: by the record that goes before the send, and by the send. */
export const STOP_POINTS = ['before the record', 'while the record is written', 'between record and socket', 'before the answer'] as const;
export type StopPoint = (typeof STOP_POINTS)[number];

export interface StopTask {
  readonly at: StopPoint;
  /** Of how many passages of that point it is the last. */
  readonly passage: number;
}

/** Stops this process, all its threads, until somebody wakes it: the next instruction is run after that. */
function stop(where: string): void {
  tell(`stopping ${where}`);
  process.kill(process.pid, 'SIGSTOP');
  // The signal may reach another thread first: nothing here may go on in between. A stop shows as a gap in time.
  const began = hostMs();
  for (let last = began; ; ) {
    const now = hostMs();
    if (now - last > 200 || now - began > 5_000) return;
    last = now;
  }
}

function countdown({ at, passage }: StopTask): (point: StopPoint, where: () => string) => void {
  let left = passage;
  return (point, where) => {
    if (point === at && --left === 0) stop(where());
  };
}

/** The venue, with stops right before a placement is written to the socket, and right after. */
export function stoppingAdapter(adapter: BrokerAdapter, task: StopTask): BrokerAdapter {
  const pass = countdown(task);
  return new Proxy(adapter, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (name !== 'place') return member;
      return ((intent, clientOrderId, attempt) => {
        pass('between record and socket', () => clientOrderId);
        const answer = target.place(intent, clientOrderId, attempt);
        pass('before the answer', () => clientOrderId);
        return answer;
      }) satisfies BrokerAdapter['place'];
    },
  });
}

/** The pool, with stops right before an append to the journal leaves, and right after. */
export function stoppingPool(pool: pg.Pool, task: StopTask): pg.Pool {
  const pass = countdown(task);
  const seen = new WeakSet<object>();
  pool.on('connect', (client: pg.PoolClient) => {
    if (seen.has(client)) return;
    seen.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const isAppend = (text: unknown): boolean => typeof text === 'string' && text.startsWith('WITH input');
    Object.assign(client, {
      query: (...args: unknown[]): unknown => {
        if (isAppend(args[0])) pass('before the record', () => 'append');
        const answer = query(...args);
        if (isAppend(args[0])) pass('while the record is written', () => 'append');
        return answer;
      },
    });
  });
  return pool;
}
