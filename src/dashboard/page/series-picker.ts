import { selectSeries } from '../charts/selected-series.js';
import { byId, element, setText } from './elements.js';

/** Chooses the series of chart 6: from a list of what is analysed, or any of the store by its name. */
export class SeriesPicker {
  readonly #page: Document;
  readonly #list: HTMLSelectElement;
  readonly #name: HTMLInputElement;
  readonly #onPick: () => void;
  #value: string;
  #isLoaded = false;

  constructor(page: Document, first: string, onPick: () => void) {
    this.#page = page;
    this.#onPick = onPick;
    this.#value = first;
    this.#list = byId(page, 'metric') as HTMLSelectElement;
    this.#name = byId(page, 'metric-name') as HTMLInputElement;
    this.#fill([first]);
    this.#list.addEventListener('change', () => this.#pick(this.#list.value));
    this.#name.addEventListener('change', () => {
      if (this.#name.value.trim() !== '') this.#pick(this.#name.value.trim());
    });
    // What the store holds may grow: asked for again when somebody is about to choose.
    for (const control of [this.#list, this.#name]) control.addEventListener('focus', () => void this.#load());
  }

  /** Fills the list for the first time, when nothing more urgent is to be had. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    await this.#load();
  }

  get value(): string {
    return this.#value;
  }

  #pick(id: string): void {
    const error = byId(this.#page, 'metric-error');
    try {
      selectSeries(id);
    } catch (problem) {
      setText(error, problem instanceof Error ? problem.message : String(problem));
      return;
    }
    setText(error, '');
    this.#value = id;
    if (![...this.#list.options].some(({ value }) => value === id)) this.#list.append(this.#option(id));
    this.#list.value = id;
    this.#onPick();
  }

  async #load(): Promise<void> {
    try {
      const response = await fetch('series');
      if (response.ok) this.#fill((await response.json()) as string[]);
    } catch {
      // Not reachable just now: what the list had stays.
    }
  }

  #fill(names: readonly string[]): void {
    const known = new Set([...this.#list.options].map(({ value }) => value));
    const added = names.filter((name) => !known.has(name));
    this.#list.append(...added.map((name) => this.#option(name)));
    byId(this.#page, 'metric-names').append(...added.map((name) => this.#option(name)));
    this.#list.value = this.#value;
  }

  #option(name: string): HTMLOptionElement {
    const option = element(this.#page, 'option', name);
    option.value = name;
    return option;
  }
}
