export {
  type CategoryResult,
  CERTIFICATION_SCHEMA,
  type CertificationCategory,
  type CertificationEnvironment,
  type CertificationLevel,
  type CertificationReport,
  type CertificationSignature,
  type CheckResult,
  type LeftOut,
} from './certification-report.js';
export { certify } from './certify.js';
export type { CertifyOptions } from './certify-options.js';
export type { CreateKit, KitModule } from './kit-module.js';
export { type CertifyRecordOptions, certifyRecord } from './record/certify-record.js';
export type { RecordedJournal, RunRecord } from './record/record.js';
export { type RenderCertificationOptions, renderCertification } from './report/render-certification.js';
export { isUntouched } from './signature.js';
