import { missingPeerError } from '../../core/errors.js';
import type { Fonts } from './pdf-report.js';

/** A picture of an SVG, at twice its size, in the font that it names. @throws VenueKitError `MISSING_PEER` without @resvg/resvg-js */
export async function pngOf(svg: string, { regular, medium }: Fonts): Promise<Uint8Array> {
  const { Resvg } = await loadResvg();
  const picture = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: 1.5 },
    font: { fontFiles: [regular, medium], loadSystemFonts: false, defaultFontFamily: 'Roboto', sansSerifFamily: 'Roboto' },
  });
  return picture.render().asPng();
}

/** What is used of @resvg/resvg-js. */
interface ResvgModule {
  readonly Resvg: new (svg: string, options: object) => { render(): { asPng(): Uint8Array } };
}

async function loadResvg(): Promise<ResvgModule> {
  try {
    return await import('@resvg/resvg-js');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw missingPeerError('@resvg/resvg-js', 'The format png', 'Install it (npm install @resvg/resvg-js), or take the format svg, html or pdf.');
  }
}
