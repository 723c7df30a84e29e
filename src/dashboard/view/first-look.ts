import type { Scheme } from '../charts/look.js';

/** Screens that stills are drawn for before anybody knows how wide a page is: with two columns of charts, or with one. */
export type StillSize = 'wide' | 'narrow';

/** What a page may be sent to fetch with its HTML: which of them, its media query decides. */
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
export function firstLookOf(query: URLSearchParams): FirstLook {
  const look = firstLooks.find(({ scheme, size }) => scheme === query.get('scheme') && size === query.get('size'));
  if (look === undefined) throw new RangeError(`scheme must be one of ${SCHEMES.join(', ')}, and size one of ${SIZES.join(', ')}`);
  return look;
}
