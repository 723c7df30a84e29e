import assert from 'node:assert/strict';
import { asError, isVenueKitError } from '../../core/errors.js';

/**
 * One rule of a contract. `run` resolves where the implementation keeps it and rejects with an
 * AssertionError where it does not: any test runner will do.
 *
 * @example
 * describe('MyJournal', () => {
 *   for (const { name, run } of orderJournalContract({ open: () => givenMyJournal() })) it(name, run);
 * });
 */
export interface ContractCase {
  readonly name: string;
  run(): Promise<void>;
}

/** Makes cases of sentences: each gets a subject of its own, which is closed after it. */
export function casesOf<S extends AsyncDisposable>(
  open: () => S | Promise<S>,
  rules: Readonly<Record<string, (subject: S) => void | Promise<void>>>,
): readonly ContractCase[] {
  return Object.entries(rules).map(([name, rule]) => ({
    name,
    run: async () => {
      const subject = await open();
      try {
        await rule(subject);
      } finally {
        await subject[Symbol.asyncDispose]();
      }
    },
  }));
}

/** Rejects unless `work` fails with that code of venuekit's. */
export async function assertCode(work: () => unknown, code: string, what: string): Promise<void> {
  let failure: unknown;
  try {
    await work();
  } catch (error) {
    failure = error;
  }
  assert.ok(failure !== undefined, `${what} must be refused with ${code}, and went through`);
  assert.ok(isVenueKitError(failure, code), `${what} must be refused with ${code}, got ${asError(failure).message}`);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
