import { parseDuration } from '../../query/language/duration.js';

const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Epoch ms of `now`, `1h` or `-1h` (before `now`), epoch milliseconds, or a date of ISO 8601, which is UTC unless it says otherwise. */
export function readTime(text: string, now: number): number | undefined {
  if (text === 'now') return now;
  const ago = readDuration(text.replace(/^-/, ''));
  if (ago !== undefined) return now - ago;
  if (/^\d{10,16}$/.test(text)) return Number(text);
  if (!DATE.test(text)) return undefined;
  const hasZone = /Z$|[+-]\d{2}:\d{2}$/.test(text) || !text.includes('T');
  const at = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isNaN(at) ? undefined : at;
}

/** Milliseconds above 0 of a duration such as `1m30s`. */
export function readDuration(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms === 0 ? undefined : ms;
}
