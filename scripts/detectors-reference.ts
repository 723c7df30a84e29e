import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Detector } from '../src/analyzer/detectors/detector.js';
import { DETECTORS } from '../src/analyzer/detectors/detectors.js';
import { COMPONENTS } from '../src/analyzer/measures/measurements.js';

/**
 * Writes docs/reference/detectors.md from the detectors. With `--check` it only compares, and fails
 * where the page is not what the code says.
 */
const PAGE = fileURLToPath(new URL('../docs/reference/detectors.md', import.meta.url));

/** The page, as the code has it. */
export function detectorsReference(): string {
  const sections = COMPONENTS.map(
    (component) =>
      `## ${upper(component)}\n\n${DETECTORS.filter((one) => one.component === component)
        .map(section)
        .join('\n')}`,
  );
  return `# Detectors

What \`PerformanceAnalyzer\` and \`npx venuekit plan\` look for ([how](../concepts/performance-analyzer.md)). Written from the code by \`scripts/detectors-reference.ts\`; edit the code.

Ids are API. Options are named as in the \`tuning\` of \`createVenueKit\`; those of pools are for the host, from \`kit.tuning.pools\`; those that begin with \`node\` and \`journal\` are for a person.

${sections.join('\n')}`;
}

function section({ id, sees, option, effort, area, from, replay }: Detector): string {
  return `### ${id}\n\n${sees}\n\n| option | effort | shows in | sees by | estimate by replay of |\n|---|---|---|---|---|\n| \`${option}\` | ${effort} | ${area} | ${from} | ${replay} |\n`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = detectorsReference();
  if (!process.argv.includes('--check')) writeFileSync(PAGE, page);
  else if (readFileSync(PAGE, 'utf8') !== page) {
    console.error('docs/reference/detectors.md is not what the code says: run `npx tsx scripts/detectors-reference.ts` and commit it.');
    process.exitCode = 1;
  }
}
