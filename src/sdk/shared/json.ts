import { VenueKitError } from '../../core/errors.js';

/** JSON of the venue, member by member: what is missing or of another type is an error, never a guess. */
export type Json = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new VenueKitError('BAD_ANSWER', `${what}: expected an object, got ${typeof value}`);
  return value as Json;
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new VenueKitError('BAD_ANSWER', `${what}: expected a list, got ${typeof value}`);
  return value;
}

export function text(json: Json, member: string): string {
  const value = json[member];
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new VenueKitError('BAD_ANSWER', `the venue's answer has no ${member}`);
}

export function number(json: Json, member: string): number {
  const value = Number(text(json, member));
  if (!Number.isFinite(value)) throw new VenueKitError('BAD_ANSWER', `the venue's answer has no number in ${member}`);
  return value;
}
