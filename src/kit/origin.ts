import type { VenueKit, VenueKitOptions } from './venue-kit.js';

// A symbol of the registry, so that a kit of one copy of the package is known to another.
const ORIGIN = Symbol.for('venuekit.kit.origin');

/** What a kit was made of, and how far it has come: for who judges it. */
export interface KitOrigin {
  /** As they were given. They hold what the host put into them, secrets included. */
  readonly options: VenueKitOptions;
  state(): 'made' | 'started' | 'closed';
}

/** Keeps it where neither a spread nor a log of the kit finds it. */
export function setOrigin(kit: VenueKit, origin: KitOrigin): VenueKit {
  return Object.defineProperty(kit, ORIGIN, { value: origin });
}

/** Undefined for what `createVenueKit` has not made. An object that has the kit as its prototype has its origin, too. */
export function originOf(kit: object): KitOrigin | undefined {
  return (kit as { readonly [ORIGIN]?: KitOrigin })[ORIGIN];
}
