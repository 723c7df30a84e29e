import { CHART_IDS, type ChartId } from '../charts/chart.js';
import type { Scheme } from '../charts/look.js';

/** Screens that stills are drawn for before anybody knows how wide a page is: with two columns of charts, or with one. */
export type StillSize = 'wide' | 'narrow';

/** Which pictures a page shows until it draws, its media queries decide. */
export interface FirstLook {
  readonly scheme: Scheme;
  readonly size: StillSize;
}

const SCHEMES: readonly Scheme[] = ['light', 'dark'];
const SIZES: readonly StillSize[] = ['wide', 'narrow'];

export const firstLooks: readonly FirstLook[] = SCHEMES.flatMap((scheme) => SIZES.map((size) => ({ scheme, size })));

/** One column begins where the page's style says so. */
export function mediaOf({ scheme, size }: FirstLook): string {
  return `${size === 'narrow' ? '(max-width: 760px)' : '(min-width: 760.02px)'} and (prefers-color-scheme: ${scheme})`;
}

/** @throws RangeError naming the parameter that can't be meant */
export function firstLookOf(query: URLSearchParams): FirstLook & { readonly chart: ChartId } {
  const chart = CHART_IDS.find((id) => id === query.get('chart'));
  if (chart === undefined) throw new RangeError(`chart must be one of ${CHART_IDS.join(', ')}`);
  const look = firstLooks.find(({ scheme, size }) => scheme === query.get('scheme') && size === query.get('size'));
  if (look === undefined) throw new RangeError(`scheme must be one of ${SCHEMES.join(', ')}, and size one of ${SIZES.join(', ')}`);
  return { ...look, chart };
}
