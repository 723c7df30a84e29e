import { VenueKitError } from '../../core/errors.js';

/** What is wrong at one place of a rule. */
export interface RuleIssue {
  /** Such as `rules[2].fire`. */
  readonly path: string;
  readonly message: string;
}

/** Rules that can't be meant; nothing of what was given has been taken. */
export class RuleError extends VenueKitError {
  readonly issues: readonly RuleIssue[];

  constructor(issues: readonly RuleIssue[]) {
    super('INVALID_RULE', issues.map(({ path, message }) => `${path} ${message}`).join('\n'));
    this.name = 'RuleError';
    this.issues = issues;
  }
}
