import type { VenueCapabilities } from '../contracts/broker.js';
import type { Random } from '../core/random.js';

const LOWER = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A way of writing the four numbers that make an id unique. */
interface Format {
  readonly alphabet: string;
  readonly prefix: string;
  readonly isUuid?: true;
}

const FORMATS: readonly Format[] = [
  { alphabet: LOWER, prefix: 'vk' },
  { alphabet: LOWER.toUpperCase(), prefix: 'VK' },
  { alphabet: '0123456789abcdef', prefix: '' },
  { alphabet: '0123456789abcdef', prefix: '', isUuid: true },
  { alphabet: '0123456789', prefix: '' },
];

const MAX_TIME = 2 ** 42; // the year 2109
const MAX_COUNT = 2 ** 16;
const MAX_EPOCH = 2 ** 16;

/**
 * Ids that the venue takes and that never come again: the epoch of the writer's lease tells one
 * process from the next, a counter one order from the next, and the time keeps both apart should a
 * journal be lost.
 */
export class ClientOrderIds {
  readonly #pattern: RegExp;
  readonly #maxLength: number;
  readonly #random: Random;
  readonly #format: Format;
  #epoch = 0;
  #count = 0;

  /** @throws RangeError when no format that we know fits pattern and length. */
  constructor({ pattern, maxLength }: VenueCapabilities['clientId'], random: Random) {
    // A sticky or global expression remembers where it stopped: each test would depend on the last.
    this.#pattern = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    this.#maxLength = maxLength;
    this.#random = random;
    const format = FORMATS.find((candidate) => this.fits(this.#write(candidate, MAX_TIME - 1, MAX_EPOCH - 1, MAX_COUNT - 1)));
    if (format === undefined) {
      throw new RangeError(
        `capabilities.clientId must allow ids that are unique, got pattern ${String(pattern)} with at most ${maxLength} characters`,
      );
    }
    this.#format = format;
  }

  /** Ids from now on carry this epoch. */
  begin(epoch: number): void {
    this.#epoch = epoch % MAX_EPOCH;
  }

  /** Whether the venue takes `id` as it is. */
  fits(id: string): boolean {
    return id.length > 0 && id.length <= this.#maxLength && this.#pattern.test(id);
  }

  /** A new one. @param now - epoch ms. */
  next(now: number): string {
    this.#count = (this.#count + 1) % MAX_COUNT;
    return this.#write(this.#format, now % MAX_TIME, this.#epoch, this.#count);
  }

  #write({ alphabet, prefix, isUuid }: Format, time: number, epoch: number, count: number): string {
    const body =
      digits(time, MAX_TIME, alphabet) +
      digits(epoch, MAX_EPOCH, alphabet) +
      digits(count, MAX_COUNT, alphabet) +
      digits(this.#random() * MAX_COUNT, MAX_COUNT, alphabet);
    if (isUuid !== true) {
      // The random tail is the one part that a short id can do without.
      return (prefix + body).length <= this.#maxLength
        ? prefix + body
        : body.slice(0, Math.max(this.#maxLength, body.length - width(MAX_COUNT, alphabet)));
    }
    const filled = body.padEnd(32, '0');
    return `${filled.slice(0, 8)}-${filled.slice(8, 12)}-4${filled.slice(13, 16)}-8${filled.slice(17, 20)}-${uuidTail(filled)}`;
  }
}

// Version and variant take the places of two digits; what stood there goes to the end.
function uuidTail(filled: string): string {
  return `${filled.slice(20, 30)}${filled[12]}${filled[16]}`;
}

function width(limit: number, alphabet: string): number {
  return Math.ceil(Math.log(limit) / Math.log(alphabet.length));
}

// Of fixed width: two numbers written one after the other must not be read as two others.
function digits(value: number, limit: number, alphabet: string): string {
  let rest = Math.floor(value);
  let text = '';
  for (let i = width(limit, alphabet); i > 0; i--) {
    text = alphabet.charAt(rest % alphabet.length) + text;
    rest = Math.floor(rest / alphabet.length);
  }
  return text;
}
