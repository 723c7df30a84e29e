import { duration, utc } from '../charts/format.js';
import { limitedBy, objectiveStates, scoreInWords } from '../view/objective-states.js';
import type { OpenAlert, Snapshot } from '../view/snapshot.js';
import { byId, element, setText } from './elements.js';

const MOST_ALERTS = 6;
const SILENCE_MINUTES = 60;

/** What stands above the charts: grade, health, budgets, alerts, uptime, insights. */
export class StripView {
  readonly #page: Document;
  readonly #shown = new Map<string, string>();

  constructor(page: Document) {
    this.#page = page;
  }

  show({ charts, strip }: Snapshot): void {
    const { assessmentError, alerts, canSilence, uptimeSeconds } = strip;
    const objectives = objectiveStates(charts);
    const assessment = strip.assessment === undefined ? undefined : limitedBy(strip.assessment, objectives);
    const page = this.#page;
    const isGraded = assessment !== undefined && assessment.grade.letter !== 'none';
    setText(byId(page, 'grade'), isGraded ? assessment.grade.letter : '–');
    const why = assessment === undefined ? (assessmentError ?? 'being worked out') : 'nothing measured';
    setText(byId(page, 'score'), isGraded ? scoreInWords(assessment.grade) : why);
    const health = byId(page, 'health');
    setText(health, assessment?.health ?? '–');
    health.dataset.health = assessment?.health ?? 'unknown';
    setText(byId(page, 'uptime'), uptimeSeconds === undefined ? 'not on record' : duration(uptimeSeconds));
    this.#list('objectives', objectives, (states) =>
      states.length === 0 ? [element(page, 'li', 'nothing measured', 'muted')] : states.map((state) => this.#objective(state)),
    );
    setText(byId(page, 'alert-count'), String(alerts.length));
    byId(page, 'alert-count').dataset.some = String(alerts.length > 0);
    this.#list('open-alerts', [alerts, canSilence], () => this.#alerts(alerts, canSilence));
    this.#list('insights', [assessment?.insights, why], () => {
      const insights = assessment?.insights ?? [];
      if (insights.length > 0) return insights.map((insight) => this.#insight(insight));
      return [element(page, 'li', isGraded ? 'Nothing changed for the worse.' : why, 'muted')];
    });
  }

  /** Rebuilt only when what it shows has changed: focus and reading position stay. */
  #list<T>(id: string, what: T, build: (what: T) => readonly HTMLElement[]): void {
    const text = JSON.stringify(what) ?? '';
    if (this.#shown.get(id) === text) return;
    this.#shown.set(id, text);
    byId(this.#page, id).replaceChildren(...build(what));
  }

  #objective({ name, objective, measured, isMet, budgetLeft, budget }: ReturnType<typeof objectiveStates>[number]): HTMLElement {
    const page = this.#page;
    const item = element(page, 'li');
    const line = element(page, 'span', '', 'objective');
    line.append(element(page, 'strong', `${name}: ${measured}`), element(page, 'span', objective, 'muted'));
    const meter = element(page, 'meter');
    meter.value = Math.max(0, Math.min(1, budgetLeft));
    meter.setAttribute('aria-label', `Budget of ${name}`);
    meter.dataset.met = String(isMet);
    item.append(line, meter, element(page, 'span', budget, isMet ? 'muted' : 'bad'));
    return item;
  }

  #alerts(alerts: readonly OpenAlert[], canSilence: boolean): readonly HTMLElement[] {
    const page = this.#page;
    if (alerts.length === 0) return [element(page, 'li', 'none', 'muted')];
    const items = alerts.slice(0, MOST_ALERTS).map(({ fingerprint, rule, severity, labels, state, since, isSuppressed }) => {
      const item = element(page, 'li');
      item.append(element(page, 'span', severity, `severity ${severity}`), element(page, 'strong', rule), element(page, 'span', labels));
      item.append(element(page, 'span', `${isSuppressed ? 'silenced, ' : ''}${state}${since === undefined ? '' : ` since ${utc(since)}`}`, 'muted'));
      if (canSilence && !isSuppressed) {
        const button = element(page, 'button', 'Silence 1 h');
        button.type = 'button';
        button.setAttribute('aria-label', `Silence 1 h: ${rule} ${labels}`);
        button.addEventListener('click', () => void this.#silence(button, fingerprint, rule));
        item.append(button);
      }
      return item;
    });
    return alerts.length > MOST_ALERTS ? [...items, element(page, 'li', `and ${alerts.length - MOST_ALERTS} more`, 'muted')] : items;
  }

  async #silence(button: HTMLButtonElement, fingerprint: string, rule: string): Promise<void> {
    const answer = byId(this.#page, 'silence-answer');
    button.disabled = true;
    try {
      const query = new URLSearchParams({ fingerprint, minutes: String(SILENCE_MINUTES) });
      const response = await fetch(`silence?${query.toString()}`, { method: 'POST' });
      setText(answer, response.ok ? `${rule} is silenced for an hour.` : `${rule} could not be silenced: ${(await response.text()).trim()}`);
      if (!response.ok) button.disabled = false;
    } catch {
      setText(answer, `${rule} could not be silenced: the dashboard can't be reached.`);
      button.disabled = false;
    }
  }

  #insight({ change, since, cause, action }: NonNullable<Snapshot['strip']['assessment']>['insights'][number]): HTMLElement {
    const page = this.#page;
    const item = element(page, 'li');
    item.append(
      element(page, 'strong', change),
      element(page, 'span', `since ${utc(since)}`, 'muted'),
      element(page, 'span', `Cause: ${cause}`),
      element(page, 'span', `Do: ${action}`),
    );
    return item;
  }
}
