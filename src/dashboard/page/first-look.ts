import { systemClock } from '../../core/clock.js';
import type { Scheme } from '../charts/look.js';
import type { Stills } from '../report/stills.js';
import type { StreamMessage } from './live-stream.js';

/** What the page was sent to fetch with its HTML, before its script had come. */
export interface FirstLook {
  readonly snapshot: Promise<StreamMessage | undefined>;
  readonly stills: Promise<Stills | undefined>;
}

/** Undefined for another view than the one that the HTML was made for, and the second time. */
export function firstLook(page: Document, query: URLSearchParams, scheme: Scheme): FirstLook | undefined {
  const links = [...page.querySelectorAll<HTMLLinkElement>('link[rel="preload"][as="fetch"]')];
  for (const link of links) link.remove();
  const first = links.find(({ id }) => id === 'first');
  if (first === undefined || new URL(first.href).searchParams.toString() !== query.toString()) return undefined;
  const snapshot = fetched<StreamMessage>(first.href);
  const still = links.find(({ className, media }) => className === 'still' && page.defaultView?.matchMedia(media).matches === true);
  if (still === undefined) return { snapshot, stills: Promise.resolve(undefined) };
  // It is on its way already; in other colours than somebody has chosen it is of no use.
  const stills = fetched<Stills>(still.href);
  return { snapshot, stills: new URL(still.href).searchParams.get('scheme') === scheme ? stills : Promise.resolve(undefined) };
}

async function fetched<T>(address: string): Promise<T | undefined> {
  try {
    const response = await fetch(address);
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    // What it would have told comes over the stream.
    return undefined;
  }
}

export const later = (ms: number): Promise<void> => new Promise((resolve) => void systemClock.schedule(ms, resolve));
