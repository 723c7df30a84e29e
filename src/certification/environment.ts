import { availableParallelism } from 'node:os';
import type { CertificationEnvironment } from './certification-report.js';
import { packageVersion } from './package-version.js';

/** Where this runs. */
export function environment(): CertificationEnvironment {
  const { versions, platform, arch } = process as {
    readonly versions: Readonly<Record<string, string | undefined>>;
    readonly platform: string;
    readonly arch: string;
  };
  const runtime =
    versions.bun !== undefined ? `Bun ${versions.bun}` : versions.deno !== undefined ? `Deno ${versions.deno}` : `Node.js ${versions.node ?? ''}`;
  return { venuekit: packageVersion(), runtime, platform: `${platform} ${arch}`, cpus: availableParallelism() };
}
