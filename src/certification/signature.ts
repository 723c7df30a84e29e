import { createHash } from 'node:crypto';
import type { CertificationReport, CertificationSignature } from './certification-report.js';

type Unsigned = Omit<CertificationReport, 'signature'>;

/** The hashes of a report, over what it was made from and what it found. */
export function signatureOf(report: Unsigned): CertificationSignature {
  const { environment, options, seed, durationMs, startedAt, tookMs, ...found } = report;
  const inputs = sha256({ environment, options, seed, durationMs });
  return { algorithm: 'sha256', inputs, results: sha256({ inputs, startedAt, tookMs, found }) };
}

/** Whether a report, as read from its JSON, is as it was when it was made; false for what is no report. */
export function isUntouched(report: CertificationReport): boolean {
  if (typeof report !== 'object' || report === null) return false;
  const { signature, ...rest } = report;
  if (typeof signature !== 'object' || signature === null) return false;
  const { inputs, results } = signatureOf(rest);
  return signature.algorithm === 'sha256' && signature.inputs === inputs && signature.results === results;
}

const sha256 = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex');

/** JSON with sorted names: the same value gives the same text, however it was put together. */
function canonical(value: unknown): string {
  const sorted = (_: string, member: unknown): unknown =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member;
  return JSON.stringify(value, sorted);
}
