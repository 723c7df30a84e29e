import type { VenueKit } from '../kit/venue-kit.js';
import type { CertificationReport } from './certification-report.js';
import { type CertifyOptions, requireCertifyOptions } from './certify-options.js';
import { hostOf } from './host.js';

/**
 * Tries out whether a kit is ready: its parts, what it is worth against the same bot without it, what
 * it does when the venue fails, and how it is set up to run. Nothing is traded on the host's venue:
 * what orders is a kit of the same options over a simulated one.
 *
 * @throws VenueKitError NOT_STARTED, CLOSED for a kit that can't be tried as it is; KIT_MODULE where `create` can't be loaded; RangeError or TypeError naming the option
 * @example
 * const report = await certify(kit, { seed: 7, onProgress: (done, total, id) => console.error(`${done}/${total} ${id}`) });
 * if (!report.ready) process.exitCode = 1;
 */
export async function certify(kit: VenueKit, options: CertifyOptions = {}): Promise<CertificationReport> {
  const settings = requireCertifyOptions(options);
  const host = hostOf(kit);
  // Simulated venues, trials and checks: on demand, for a host that only keeps reports or judges records.
  const { runCertification } = await import('./run-certification.js');
  return runCertification(host, settings);
}
