import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { detectorsReference } from '../../../scripts/detectors-reference.js';
import { DETECTORS } from '../../../src/analyzer/detectors/detectors.js';

describe('docs/reference/detectors.md', () => {
  it('says what the code says (npx tsx scripts/detectors-reference.ts)', () => {
    expect(readFileSync('docs/reference/detectors.md', 'utf8')).toBe(detectorsReference());
  });

  it('has detectors whose ids differ', () => {
    expect(new Set(DETECTORS.map(({ id }) => id)).size).toBe(DETECTORS.length);
    expect(DETECTORS.length).toBeGreaterThanOrEqual(12);
  });
});
