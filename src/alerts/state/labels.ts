import type { Severity } from '../../contracts/alerts.js';

export type Labels = Readonly<Record<string, string>>;

/** One string for labels, the same in whatever order they come; empty ones count as absent, as in Prometheus. */
export function labelsKey(labels: Labels): string {
  const names = Object.keys(labels).filter((name) => labels[name] !== '');
  if (names.length > 1) names.sort();
  return JSON.stringify(names.map((name) => [name, labels[name]]));
}

const PRIME = 0x100000001b3n;
const OFFSET = 0xcbf29ce484222325n;
const MASK = (1n << 64n) - 1n;

/**
 * Sixteen hexadecimal digits, the same for the same rule, severity and labels on every machine.
 *
 * Source: FNV-1a, 64 bits (Fowler, Noll, Vo).
 */
export function fingerprintOf(rule: string, severity: Severity, labels: Labels): string {
  let hash = OFFSET;
  for (const byte of new TextEncoder().encode(JSON.stringify([rule, severity, labelsKey(labels)]))) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  return hash.toString(16).padStart(16, '0');
}

/** Whether every pair of `wanted` is in `labels`; an absent label is an empty one. */
export function matchesAll(wanted: Labels, labels: Labels): boolean {
  for (const name of Object.keys(wanted)) if ((labels[name] ?? '') !== wanted[name]) return false;
  return true;
}
