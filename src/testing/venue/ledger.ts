import { AMOUNT_PLACES, fromUnits, toAmount } from './units.js';

/** What an account has of one asset, as decimal strings. */
export interface AssetBalance {
  readonly free: string;
  /** Set aside for open orders. */
  readonly held: string;
}

interface Holding {
  free: bigint;
  held: bigint;
}

/** One account's money, in units of 10^-18: what is free, and what open orders hold. */
export class Ledger {
  readonly #holdings = new Map<string, Holding>();
  readonly #opening: bigint | Readonly<Record<string, string>>;

  /** @param opening - of each asset that is named, or of every asset alike. */
  constructor(opening: bigint | Readonly<Record<string, string>>) {
    this.#opening = opening;
    if (typeof opening !== 'bigint') for (const asset of Object.keys(opening)) this.#of(asset);
  }

  /** Sets `amount` aside; false, and nothing changed, where less is free. */
  hold(asset: string, amount: bigint): boolean {
    const holding = this.#of(asset);
    if (holding.free < amount) return false;
    holding.free -= amount;
    holding.held += amount;
    return true;
  }

  release(asset: string, amount: bigint): void {
    const holding = this.#of(asset);
    holding.held -= amount;
    holding.free += amount;
  }

  /** Spends `amount` of what was set aside. */
  spendHeld(asset: string, amount: bigint): void {
    this.#of(asset).held -= amount;
  }

  receive(asset: string, amount: bigint): void {
    this.#of(asset).free += amount;
  }

  balances(): Readonly<Record<string, AssetBalance>> {
    return Object.fromEntries(
      [...this.#holdings].map(([asset, { free, held }]) => [asset, { free: fromUnits(free, AMOUNT_PLACES), held: fromUnits(held, AMOUNT_PLACES) }]),
    );
  }

  #of(asset: string): Holding {
    const known = this.#holdings.get(asset);
    if (known !== undefined) return known;
    const free = typeof this.#opening === 'bigint' ? this.#opening : toAmount(this.#opening[asset] ?? '0');
    const holding = { free, held: 0n };
    this.#holdings.set(asset, holding);
    return holding;
  }
}
