const BRAND = Symbol.for('venuekit.error');

/**
 * The base of every error that venuekit makes.
 *
 * `code` is API: it never changes within a major version, while messages may. Errors are told by
 * {@link isVenueKitError} rather than `instanceof`, which fails between two copies of the package
 * (ESM beside CJS, or two versions in one tree).
 */
export class VenueKitError extends Error {
  /** Stable, upper snake case. */
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options !== undefined && 'cause' in options ? { cause: options.cause } : undefined);
    Object.defineProperty(this, BRAND, { value: true });
    this.name = 'VenueKitError';
    this.code = code;
  }
}

/** Whether `error` was made by any copy of venuekit, optionally with this `code`. */
export function isVenueKitError(error: unknown, code?: string): error is VenueKitError {
  if (typeof error !== 'object' || error === null || (error as Record<symbol, unknown>)[BRAND] !== true) return false;
  return code === undefined || (error as VenueKitError).code === code;
}

/** What is thrown when a module that has been closed is asked for more. */
export function closedError(what: string): VenueKitError {
  return new VenueKitError('CLOSED', `${what} is closed; create a new one, or close it later.`);
}

/** An Error of whatever was thrown, since JavaScript lets anything be thrown. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new VenueKitError('NOT_AN_ERROR', `A value that is no Error was thrown: ${describe(thrown)}`, { cause: thrown });
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const message = (value as { message?: unknown }).message;
  return typeof message === 'string' ? message : Object.prototype.toString.call(value);
}

/** An optional peer dependency that is needed now and is not installed. */
export function missingPeerError(peer: string, neededFor: string, waysOut: string): VenueKitError {
  return new VenueKitError('MISSING_PEER', `${neededFor} needs ${peer}, which is not installed. ${waysOut}`);
}
