import { VenueKitError } from '../core/errors.js';
import { redact } from '../core/logger.js';
import { originOf } from '../kit/origin.js';
import type { VenueKit, VenueKitOptions } from '../kit/venue-kit.js';

/** The kit that is certified, and what it was made of. */
export interface Host {
  readonly kit: VenueKit;
  readonly options: VenueKitOptions;
}

/**
 * @throws TypeError for what is no kit; VenueKitError NOT_STARTED and CLOSED for one that can't be certified as it is
 */
export function hostOf(kit: VenueKit): Host {
  if (typeof kit !== 'object' || kit === null) throw new TypeError(`kit must be a kit of createVenueKit, got ${String(kit)}`);
  const origin = originOf(kit);
  if (origin === undefined)
    throw new TypeError(
      'kit must be made by createVenueKit: kits like it are made to be tried out, and only it knows of what. Wrap a kit with Object.create(kit, …), not by a spread.',
    );
  const state = origin.state();
  if (state === 'made') throw new VenueKitError('NOT_STARTED', 'The kit is not started: await kit.start() before certify(kit).');
  if (state === 'closed') throw new VenueKitError('CLOSED', 'The kit is closed: certify it before it is closed, or make a new one.');
  const { options } = origin;
  if (options.broker === undefined && options.marketData === undefined)
    throw new TypeError('kit must have a broker or market data: without either there is nothing to certify');
  return { kit, options };
}

/** The options as they stand in the report: plain values, and what parts the host gave, without secrets. */
export function describeOptions(options: VenueKitOptions): Readonly<Record<string, unknown>> {
  const described: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === undefined) continue;
    described[name] = DESCRIBED[name]?.(value as never) ?? (isPlain(value) ? redact(value) : 'given');
  }
  return described;
}

const DESCRIBED: Readonly<Record<string, ((value: never) => unknown) | undefined>> = {
  broker: ({ venue, capabilities, limits }: NonNullable<VenueKitOptions['broker']>) =>
    redact({
      venue,
      capabilities: { ...capabilities, clientId: { ...capabilities.clientId, pattern: capabilities.clientId.pattern.source } },
      limits,
    }),
  marketData: ({ venue }: NonNullable<VenueKitOptions['marketData']>) => ({ venue }),
  notifiers: (notifiers: NonNullable<VenueKitOptions['notifiers']>) => notifiers.map(({ name }) => name),
  rules: (rules: NonNullable<VenueKitOptions['rules']>) => rules.map(({ id, severity }) => `${id} (${severity})`),
  // A path of this machine says nothing of the kit.
  dataDir: () => 'given',
};

/** Whether JSON keeps it whole. */
function isPlain(value: unknown): boolean {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every((member) => member === undefined || isPlain(member));
}
