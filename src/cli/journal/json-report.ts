import type { Terminal } from '../terminal.js';
import type { IntentReport } from './intent-report.js';
import type { JournalReport } from './journal-report.js';

/** One JSON object on standard output, written as it is read. */
export class JsonReport implements JournalReport {
  readonly #terminal: Terminal;
  #isFirst = true;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  begin({ path, leases }: Parameters<JournalReport['begin']>[0]): void {
    this.#terminal.out(`{"path":${JSON.stringify(path)},"leases":${JSON.stringify(leases)},"intents":[`);
  }

  intent(report: IntentReport): void {
    this.#terminal.out(`${this.#isFirst ? '' : ','}\n${JSON.stringify(report)}`);
    this.#isFirst = false;
  }

  end({ unresolved, damage }: Parameters<JournalReport['end']>[0]): void {
    this.#terminal.out(`],"unresolved":${unresolved}${damage === undefined ? '' : `,"damage":${JSON.stringify(damage)}`}}\n`);
  }
}
