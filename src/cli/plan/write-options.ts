import { readFile, rename, writeFile } from 'node:fs/promises';
import { type AppliedPlan, applyPlan, type KitTuning, type Opportunity, TUNING_SCHEMA } from '../../analyzer/index.js';
import { CommandFailure } from '../terminal.js';

/** Puts the options of a plan into a file, on top of those that it holds. */
export async function applyTo(path: string, opportunities: readonly Opportunity[]): Promise<AppliedPlan> {
  const plan = applyPlan(opportunities, await held(path));
  // At once or not at all: a kit may be starting from it.
  await writeFile(`${path}.new`, `${JSON.stringify(plan.file, null, 2)}\n`);
  await rename(`${path}.new`, path);
  return plan;
}

async function held(path: string): Promise<KitTuning> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CommandFailure(`--apply: ${path} can not be read: ${(error as Error).message}`);
  }
  try {
    const file = JSON.parse(text) as KitTuning & { readonly schema?: unknown };
    if (file.schema === TUNING_SCHEMA) return file;
  } catch {
    // Told below.
  }
  throw new CommandFailure(`--apply: ${path} exists and is no options file of venuekit (${TUNING_SCHEMA}); name another one.`);
}
