import { VenueKitError } from '../core/errors.js';

/** Why a store can't be analyzed. */
export type AnalyzerErrorCode = 'TOO_LITTLE_DATA' | 'FOREIGN_METRICS';

/** A store that can't be analyzed. */
export class AnalyzerError extends VenueKitError {
  declare readonly code: AnalyzerErrorCode;

  constructor(code: AnalyzerErrorCode, message: string) {
    super(code, message);
    this.name = 'AnalyzerError';
  }
}
