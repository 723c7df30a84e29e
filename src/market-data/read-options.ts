import type { CallOptions } from '../contracts/calls.js';
import { PRIORITIES, type Priority } from '../core/limits.js';
import { requireBoolean, requireKnown, requireNonNegative, requireObject, requireOneOf, requireSignal, requireText } from '../core/options.js';

/** How a reader wants to be answered. */
export interface ReadOptions extends CallOptions {
  /** The oldest value that is acceptable, ms, held against the larger of fetch age and event age at delivery. @defaultValue no bound but the policy's ttlMs */
  readonly maxAgeMs?: number;
  /** `order` never touches the cache: for what an order is decided or priced by. @defaultValue 'signal' */
  readonly intent?: 'signal' | 'display' | 'order';
  /** Who reads: the prefetch learns the period of each consumer by itself. */
  readonly consumer?: string;
  /** A walk over many symbols: it trains no prefetch and pushes nothing out of the cache. */
  readonly scan?: boolean;
  /** false: never a stale value; true: also without a policy for it, up to maxAgeMs, or as long again as the TTL. @defaultValue as the policy says */
  readonly allowStale?: boolean;
}

const NAMES = ['maxAgeMs', 'intent', 'consumer', 'scan', 'allowStale', 'signal', 'deadlineMs', 'priority'];
const INTENTS = ['signal', 'display', 'order'] as const;

/**
 * maxAgeMs of `options`, Infinity where there is none.
 * @throws RangeError or TypeError that names an option that can't be meant. A misspelt one is refused: a reader whose `maxAge` goes
 * unnoticed has no bound on what it trades by, and an intent "Order" must not read from memory.
 */
export function maxAgeOf(options: ReadOptions | undefined): number {
  if (options === undefined) return Infinity;
  requireObject('options', options);
  for (const name in options) requireOption(name, options);
  return options.maxAgeMs ?? Infinity;
}

/** What is left of `options` when so much of the caller's deadline has gone by. */
export function afterMs<O extends ReadOptions | undefined>(options: O, ms: number): O {
  return options?.deadlineMs === undefined || ms <= 0 ? options : { ...options, deadlineMs: Math.max(0, options.deadlineMs - ms) };
}

function requireOption(name: string, options: ReadOptions): void {
  const value = options[name as keyof ReadOptions];
  if (value === undefined && NAMES.includes(name)) return;
  switch (name) {
    case 'maxAgeMs':
      requireMaxAge(value as number);
      return;
    case 'intent':
      requireOneOf(name, value as (typeof INTENTS)[number], INTENTS);
      return;
    case 'consumer':
      requireText(name, value as string);
      return;
    case 'scan':
    case 'allowStale':
      requireBoolean(name, value as boolean);
      return;
    case 'signal':
      requireSignal(name, value as AbortSignal);
      return;
    case 'deadlineMs':
      requireNonNegative(name, value as number);
      return;
    case 'priority':
      requireOneOf(name, value as Priority, PRIORITIES);
      return;
    default:
      requireKnown('The options of a read', { [name]: value }, NAMES);
  }
}

// Infinity is no bound, said aloud.
function requireMaxAge(maxAgeMs: number): void {
  if (maxAgeMs !== Infinity) requireNonNegative('maxAgeMs', maxAgeMs);
}
