import { VenueKitError } from '../../core/errors.js';

/** Why a trace can't be read. */
export type TraceErrorCode = 'TRACE_MISSING' | 'TRACE_FOREIGN' | 'TRACE_NEWER';

/** A trace that can't be read. */
export class TraceError extends VenueKitError {
  declare readonly code: TraceErrorCode;

  constructor(code: TraceErrorCode, message: string) {
    super(code, message);
    this.name = 'TraceError';
  }
}
