/** What a range can be rendered as. */
export const REPORT_FORMATS = ['svg', 'png', 'html', 'json', 'pdf'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];
