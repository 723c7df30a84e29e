import type { LeaseRow } from '../../stores/shared/lease-row.js';
import type { IntentReport } from './intent-report.js';

/** A form in which a journal is shown, an intent at a time. */
export interface JournalReport {
  begin(facts: { readonly path: string; readonly leases: readonly LeaseRow[]; readonly now: number }): void;
  intent(report: IntentReport): void;
  end(facts: { readonly intents: number; readonly unresolved: number; readonly damage: readonly string[] | undefined }): void;
}
