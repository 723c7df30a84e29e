/** Of pictures and pages that are kept. */
export const STILL_FONT = "Roboto, 'DejaVu Sans', 'Helvetica Neue', Arial, sans-serif";
