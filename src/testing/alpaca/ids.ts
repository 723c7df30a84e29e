import type { VenueCore } from '../venue/venue-core.js';

/**
 * Alpaca's ids are UUIDs, the venue's are numbers: the number is in the last twelve digits, and what
 * stands before it tells kinds and venues apart.
 */
export class Ids {
  readonly #seed: string;

  constructor(core: VenueCore) {
    this.#seed = hex(core.seed >>> 0, 8);
  }

  of(kind: 'order' | 'execution' | 'asset' | 'account', number: number): string {
    return `${this.#seed}-${KINDS[kind]}-4000-8000-${hex(number, 12)}`;
  }

  /** undefined for what is no id of that kind. */
  numberOf(kind: 'order' | 'execution' | 'asset' | 'account', id: string): number | undefined {
    const prefix = `${this.#seed}-${KINDS[kind]}-4000-8000-`;
    const digits = id.slice(prefix.length);
    return id.startsWith(prefix) && /^[0-9a-f]{12}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
  }
}

const KINDS = { order: '0001', execution: '0002', asset: '0003', account: '0004' } as const;

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}
