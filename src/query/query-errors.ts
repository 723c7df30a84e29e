import { VenueKitError } from '../core/errors.js';

/** An expression that has no answer for the data at hand, such as two series that match one; `code` is QUERY_EVALUATION. */
export class QueryEvaluationError extends VenueKitError {
  constructor(message: string) {
    super('QUERY_EVALUATION', message);
    this.name = 'QueryEvaluationError';
  }
}
