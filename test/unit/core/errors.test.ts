import { describe, expect, it } from 'vitest';
import { asError, isVenueKitError, missingPeerError, VenueKitError } from '../../../src/core/errors.js';

describe('errors', () => {
  it('are told by brand and code, also when another copy of the package made them', () => {
    const foreign = Object.assign(new Error('x'), { code: 'CLOSED' });
    Object.defineProperty(foreign, Symbol.for('venuekit.error'), { value: true });
    expect(isVenueKitError(foreign, 'CLOSED')).toBe(true);
    expect(isVenueKitError(new VenueKitError('CLOSED', 'x'), 'OTHER')).toBe(false);
    expect(isVenueKitError(new Error('x'))).toBe(false);
    expect(isVenueKitError(null)).toBe(false);
  });

  it('keep their cause, and make an Error of whatever was thrown', () => {
    const cause = { code: -1007, message: 'Timeout waiting for response' };
    expect(asError(cause)).toMatchObject({ code: 'NOT_AN_ERROR', cause, message: expect.stringContaining('Timeout waiting') as string });
    const error = new Error('same');
    expect(asError(error)).toBe(error);
  });

  it('say which package is missing, what for, and what to do', () => {
    expect(missingPeerError('pg', 'The PostgreSQL journal', 'Run `npm install pg`.').message).toBe(
      'The PostgreSQL journal needs pg, which is not installed. Run `npm install pg`.',
    );
  });
});
