import { createHash } from 'node:crypto';

/** One line of what happened at the venue. */
export interface VenueLogEntry {
  /** Epoch ms on the clock that the venue was given. */
  readonly at: number;
  readonly type: string;
  readonly body: unknown;
}

const FLUSH_AT_CHARACTERS = 16_384;

/** Append-only, with a running hash over everything ever appended. */
export class VenueLog {
  readonly #hash = createHash('sha256');
  readonly #entries: VenueLogEntry[] = [];
  readonly #keeps: boolean;
  #pending = '';
  #count = 0;

  /** @param keeps - false: only the hash, in constant memory. */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  append(at: number, type: string, body: object): void {
    this.#count++;
    this.#pending += `${at} ${type} ${JSON.stringify(body)}\n`;
    if (this.#pending.length > FLUSH_AT_CHARACTERS) this.#flush();
    if (this.#keeps) this.#entries.push({ at, type, body });
  }

  get entries(): readonly VenueLogEntry[] {
    return this.#entries;
  }

  get count(): number {
    return this.#count;
  }

  /** SHA-256 in hex of all lines so far. */
  hash(): string {
    this.#flush();
    return this.#hash.copy().digest('hex');
  }

  #flush(): void {
    this.#hash.update(this.#pending);
    this.#pending = '';
  }
}
