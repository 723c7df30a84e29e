import { InvalidArgumentError } from 'commander';

/** A moment as it was told: epoch ms, or ms before the newest record. */
export type Moment = { readonly at: number } | { readonly agoMs: number };

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const ZONED = /(Z|[+-]\d\d:?\d\d)$/;

/**
 * Reads the value of an option that names a moment: a time of ISO 8601, UTC where it names no zone, or
 * how long before the newest record, as `-90m`.
 */
export function moment(text: string): Moment {
  const ago = /^-(\d+(?:\.\d+)?)([smhd])$/.exec(text);
  if (ago !== null) return { agoMs: Number(ago[1]) * UNITS_MS[ago[2]!]! };
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text.includes(':') && !ZONED.test(text) ? `${text}Z` : text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be a time as 2026-11-27T14:30Z, or how long before the newest record, as -90m.');
  return { at };
}

/** Epoch ms of a moment. */
export function epochOf(told: Moment, newest: number): number {
  return 'at' in told ? told.at : newest - told.agoMs;
}
