/** The version of the report's shape: it changes when a field is renamed or removed. */
export const CERTIFICATION_SCHEMA = 'venuekit.certification/1';

export type CertificationCategory = 'component' | 'performance' | 'integration' | 'production';

/** GOLD and SILVER are ready. */
export type CertificationLevel = 'GOLD' | 'SILVER' | 'BRONZE' | 'DEVELOPMENT';

/** What one check came to. */
export interface CheckResult {
  readonly id: string;
  readonly critical: boolean;
  readonly passed: boolean;
  /** On this run, with its unit where it is text. */
  readonly measured: number | string;
  readonly required: number | string;
  /** What was done to measure it, and what it means where it failed. */
  readonly why: string;
}

export interface CategoryResult {
  readonly name: CertificationCategory;
  /** Percent: the share of its passed checks by weight, critical ones weighing three times as much. */
  readonly score: number;
  readonly checks: readonly CheckResult[];
}

/** A check that has nothing to look at in this kit, or that could not be made. */
export interface LeftOut {
  readonly id: string;
  readonly why: string;
}

/** Where it ran. */
export interface CertificationEnvironment {
  readonly venuekit: string;
  readonly runtime: string;
  readonly platform: string;
  readonly cpus: number;
}

/** Readiness and scores are percent; readiness is the mean of the categories. */
export interface CertificationReport {
  readonly schema: typeof CERTIFICATION_SCHEMA;
  /** Absent where not all checks were made. */
  readonly level?: CertificationLevel;
  /** Not all checks were made, since the run was interrupted, or asked for some, or a check could not be: what was found, and never a level. */
  readonly partial?: true;
  readonly readiness: number;
  readonly ready: boolean;
  readonly categories: readonly CategoryResult[];
  readonly leftOut: readonly LeftOut[];
  /** Checks that could not be made here, as on a machine that is held up: they say nothing of the kit. */
  readonly notMeasured: readonly LeftOut[];
  /** What ran where: which checks only looked at the host's kit, and which ran on kits of their own over the simulated venue. */
  readonly method: readonly string[];
  readonly seed: number;
  /** Virtual time of the workload. */
  readonly durationMs: number;
  /** What the kit was made of, without secrets. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly environment: CertificationEnvironment;
  /** Epoch ms, and how long it took in real time. */
  readonly startedAt: number;
  readonly tookMs: number;
  readonly signature: CertificationSignature;
}

/** SHA-256 in hex, over JSON with sorted names. They show that a report was changed; they do not say who made it. */
export interface CertificationSignature {
  readonly algorithm: 'sha256';
  /** Over version, options, seed, duration and environment. */
  readonly inputs: string;
  /** Over `inputs` and everything that was found. */
  readonly results: string;
}
