/** What the pages take as given: what a bot has before it comes to venuekit, and what is its own. */
import type { BrokerAdapter, Bus, Clock, MarketDataAdapter, MetricStore, MetricTick, VenueKit } from 'venuekit';
import type { AlertRule } from 'venuekit/alerts';
import type { Dashboard } from 'venuekit/dashboard';
import type { Limiter } from 'venuekit/resilience';
import type { JournalUnderTest } from 'venuekit/testing';

export declare const apiKey: string;
export declare const apiSecret: string;
export declare const secret: string;
export declare const keyId: string;
export declare const url: string;
export declare const connectionString: string;
export declare const signal: AbortSignal;
export declare const now: number;
export declare const from: number;
export declare const to: number;

export declare const adapter: BrokerAdapter & MarketDataAdapter;
export declare const broker: BrokerAdapter;
export declare const marketData: MarketDataAdapter;
export declare const kit: VenueKit;
export declare const bus: Bus;
export declare const clock: Clock;
export declare const store: MetricStore;
export declare const tick: MetricTick;
export declare const dashboard: Dashboard;
export declare const rule: AlertRule;
export declare const limiter: Limiter;
export declare const symbols: readonly string[];
export declare const values: readonly number[];
export declare const rows: readonly (readonly number[])[];
export declare const latencies: AsyncIterable<{ readonly t: number; readonly v: number }>;
export declare const order: object;
export declare const key: string;
/** An API of the bot's own. */
export declare const client: { bars(symbol: string, options: { readonly signal: AbortSignal }): Promise<readonly number[]> };
export declare class OrderSession {
  static open(url: string, key: string, options: { readonly signal: AbortSignal }): Promise<OrderSession>;
  readonly isOpen: boolean;
  place(order: object, options: { readonly signal: AbortSignal }): Promise<object>;
  close(): Promise<void>;
}

export declare function alarm(message: string): void;
export declare function onProgress(done: number, total: number): void;
export declare function show(done: number, total: number | undefined, etaMs: number | undefined): void;
export declare function isTransient(error: unknown): boolean;
export declare function retryAfterOf(error: unknown): number;
export declare function fetchBook(symbol: string, signal: AbortSignal): Promise<object>;
export declare function givenMyJournal(): Promise<JournalUnderTest>;
