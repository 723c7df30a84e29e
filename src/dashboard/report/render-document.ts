import { DashboardAssets } from '../server/assets.js';
import type { TextDocument } from './document.js';
import { htmlDocument } from './html-document.js';
import { Renderer } from './renderer.js';

/** {@link renderDocument} */
export interface RenderDocumentOptions {
  /** Folder of the files that are built beside this module (`dist` of the package), for a host that was bundled. */
  readonly assets?: string | URL;
  readonly signal?: AbortSignal;
}

/**
 * A text document as HTML, or as PDF, which is typeset on a thread.
 * @throws VenueKitError `ASSETS_NOT_FOUND` for pdf where the package's own files can't be found
 */
export async function renderDocument(document: TextDocument, format: 'html' | 'pdf', options: RenderDocumentOptions = {}): Promise<Uint8Array> {
  if (format === 'html') return new TextEncoder().encode(htmlDocument(document));
  await using renderer = new Renderer(new DashboardAssets(options.assets));
  return await renderer.document(document, options.signal);
}
