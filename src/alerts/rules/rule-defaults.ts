/** How often a rule is evaluated unless it says otherwise. */
export const EVERY_MS = 1_000;
export const COOLDOWN_MS = 60_000;
export const MAX_PER_HOUR = 12;
