const GROUP = 5;
const DIGITS = 11;

/** Kraken's ids are a letter for the kind and groups of letters and digits; the venue's are numbers, which are in the last two groups. */
export class Ids {
  readonly #venue: string;

  /** @param seed - what tells the ids of one venue from those of another. */
  constructor(seed: number) {
    this.#venue = (seed >>> 0).toString(36).toUpperCase().padStart(GROUP, '0').slice(-GROUP);
  }

  /** Such as `O00003-00000-000001` for an order, `T…` for a trade. */
  of(kind: 'O' | 'T', number: number): string {
    const digits = String(number).padStart(DIGITS, '0');
    return `${kind}${this.#venue}-${digits.slice(0, GROUP)}-${digits.slice(GROUP)}`;
  }

  /** undefined for what is no id of that kind. */
  numberOf(kind: 'O' | 'T', id: string): number | undefined {
    const prefix = `${kind}${this.#venue}-`;
    const digits = id.slice(prefix.length).replace('-', '');
    return id.startsWith(prefix) && /^\d{11}$/.test(digits) ? Number(digits) : undefined;
  }
}
