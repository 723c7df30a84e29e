import type { LeaseRow } from '../../stores/shared/lease-row.js';
import { ColumnWriter } from '../column-writer.js';
import { printable, type Terminal } from '../terminal.js';
import type { IntentReport } from './intent-report.js';
import type { JournalReport } from './journal-report.js';
import { clockTime, intentInWords, sentenceOf } from './record-sentence.js';

/** For people: a line an intent, or everything about the one that was asked for. */
export class TextReport implements JournalReport {
  readonly #terminal: Terminal;
  readonly #isWhole: boolean;
  readonly #columns: ColumnWriter;

  constructor(terminal: Terminal, isWhole: boolean) {
    this.#terminal = terminal;
    this.#isWhole = isWhole;
    this.#columns = new ColumnWriter(terminal.out, ['INTENT', 'ACCOUNT', 'STATE', 'ORDER', 'FILLED', 'ATTEMPTS', 'UPDATED (UTC)', 'NEWEST EVIDENCE']);
  }

  begin({ leases, now }: Parameters<JournalReport['begin']>[0]): void {
    for (const lease of leases) this.#terminal.err(`${printable(leaseInWords(lease, now))}\n`);
  }

  intent(report: IntentReport): void {
    if (this.#isWhole) this.#whole(report);
    else this.#line(report);
  }

  #line({ intentId, account, state, view, attempts, updatedAt, evidence }: IntentReport): void {
    const newest = evidence.at(-1);
    this.#columns.row([
      intentId,
      account,
      state,
      view === undefined ? '' : intentInWords(view.intent),
      view?.filledQty ?? '',
      attempts.length > 0 ? attempts.map(({ outcome }) => outcome).join(', ') : String(view?.attempts ?? ''),
      clockTime(updatedAt),
      newest === undefined ? '' : `${newest.type}: ${sentenceOf(newest)}`,
    ]);
  }

  end({ intents, unresolved, damage }: Parameters<JournalReport['end']>[0]): void {
    this.#columns.end();
    this.#terminal.err(`${intents} intents, ${unresolved} unresolved\n`);
    if (damage === undefined) return;
    if (damage.length === 0) this.#terminal.err('the file is sound\n');
    for (const problem of damage) this.#terminal.err(`damaged: ${printable(problem)}\n`);
  }

  #whole({ intentId, account, state, view, evidence }: IntentReport): void {
    const facts: readonly (readonly [string, string | undefined])[] = [
      ['intent', intentId],
      ['account', account],
      ['state', state],
      ['order', view === undefined ? undefined : intentInWords(view.intent)],
      ['filled', view?.filledQty],
      ['average price', view?.avgPrice],
      ['reason', view?.reason],
      ['client order id', view?.clientOrderId],
      ['venue order ids', view?.venueOrderIds.join(', ')],
      ['linked from', view?.linkedFrom],
      ['linked to', view?.linkedTo],
    ];
    for (const [name, value] of facts) {
      if (value !== undefined && value !== '') this.#terminal.out(`${name.padEnd(16)} ${printable(value)}\n`);
    }
    this.#terminal.out('\n');
    const columns = new ColumnWriter(this.#terminal.out, ['SEQUENCE', 'AT (UTC)', 'EPOCH', 'RECORD', '']);
    for (const record of evidence)
      columns.row([String(record.sequence), clockTime(record.at), String(record.epoch), record.type, sentenceOf(record)]);
    columns.end();
  }
}

function leaseInWords({ account, epoch, owner, expiresAt, holder }: LeaseRow, now: number): string {
  if (holder === undefined) return `account ${account}: free, last held by ${owner} with epoch ${epoch}`;
  const until = `${expiresAt > now ? 'until' : 'ran out at'} ${clockTime(expiresAt)} UTC`;
  return `account ${account}: held by ${owner} (process ${holder.pid} on ${holder.host}) with epoch ${epoch}, ${until}`;
}
