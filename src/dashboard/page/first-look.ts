import type { StreamMessage } from './live-stream.js';

/** What the page was sent to fetch before its script had come; undefined for another view, and the second time. */
export function firstSnapshot(page: Document, query: URLSearchParams): Promise<StreamMessage | undefined> | undefined {
  const link = page.querySelector<HTMLLinkElement>('link#first');
  link?.remove();
  if (link === null || new URL(link.href).searchParams.toString() !== query.toString()) return undefined;
  return fetched(link.href);
}

async function fetched(address: string): Promise<StreamMessage | undefined> {
  try {
    const response = await fetch(address);
    return response.ok ? ((await response.json()) as StreamMessage) : undefined;
  } catch {
    // What it would have told comes over the stream.
    return undefined;
  }
}
