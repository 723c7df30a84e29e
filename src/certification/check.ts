import type { CertificationCategory } from './certification-report.js';
import type { CertificationContext } from './context.js';
import type { Host } from './host.js';

/** What a check came to. */
export interface Finding {
  readonly passed: boolean;
  readonly measured: number | string;
  readonly required: number | string;
  readonly why: string;
}

/** A check that found only while it looked that this kit has nothing of the kind. */
export interface NothingToSee {
  readonly leftOut: string;
}

/** A check that this machine did not let come to an end: it says nothing of the kit, neither well nor ill. */
interface NotMeasured {
  readonly notMeasured: string;
}

export type CheckOutcome = Finding | NothingToSee | NotMeasured;

/** One property of a kit that is measured. */
export interface Check {
  /** Unique and stable. */
  readonly id: string;
  readonly category: CertificationCategory;
  /** Whether a kit that fails it may lose or double orders, act on wrong data, lose its hold on the venue, or give secrets away. */
  readonly critical: boolean;
  /** Why it has nothing to look at in such a kit; undefined where it has. */
  leftOut?(host: Host): string | undefined;
  run(context: CertificationContext): Promise<CheckOutcome>;
}

export const needsOrders = (host: Host): string | undefined => (host.options.broker === undefined ? 'the kit has no broker' : undefined);
export const needsMarketData = (host: Host): string | undefined => (host.options.marketData === undefined ? 'the kit has no market data' : undefined);

/** In words, to three figures: what is measured is read by people. */
export function figure(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value;
}
