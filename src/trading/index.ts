export type {
  Attempt,
  BrokerAdapter,
  Cost,
  Limit,
  LimitObservation,
  OrderRef,
  VenueCapabilities,
  VenueEvent,
  VenueOrder,
  Verdict,
} from '../contracts/broker.js';
export type { CallOptions, Priority } from '../contracts/calls.js';
export type { JournalRecord, OrderJournal, WriterLease } from '../contracts/journal.js';
export { isSettled, SETTLED, type SettledBody } from '../contracts/journal-records.js';
export type { Fill, OrderHandle, OrderIntent, OrderState, OrderView } from '../contracts/orders.js';
export { TradingError, type TradingErrorCode, type TradingErrorFacts } from '../contracts/trading-error.js';
export type { ReconcileReport, TradingPolicy } from '../contracts/trading-policy.js';
export type { Decimal } from '../core/decimal.js';
export { MemoryOrderJournal } from '../stores/memory/memory-order-journal.js';
export type { GuardedReadOptions } from './guarded-reads.js';
export type { GuardState, LowerConcurrencyOptions, OperationClass } from './operation-guards.js';
export { ResilientTradingClient, type StartOptions, type TradingClientOptions } from './resilient-trading-client.js';
