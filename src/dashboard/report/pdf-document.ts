import type { Content, TDocumentDefinitions } from 'pdfmake/interfaces.js';
import { palettes } from '../charts/look.js';
import type { TextDocument, Tone } from './document.js';
import { type Fonts, pdfBytes, tableOf } from './pdf-report.js';

const palette = palettes.light;
const colours: Readonly<Record<Tone, string>> = {
  good: palette.good,
  warning: palette.warning,
  critical: palette.critical,
  muted: palette.muted,
  plain: palette.text,
};

/** A text document on A4. */
export function pdfDocument(document: TextDocument, fonts: Fonts): Promise<Uint8Array> {
  return pdfBytes(definition(document), fonts);
}

function definition({ title, subtitle, figures, sections }: TextDocument): TDocumentDefinitions {
  return {
    info: { title, subject: subtitle, creator: 'venuekit' },
    pageSize: 'A4',
    pageMargins: [36, 44, 36, 44],
    footer: (page, pages) => ({
      text: `${title} · ${subtitle} · page ${page} of ${pages}`,
      fontSize: 8,
      color: palette.muted,
      margin: [36, 12, 36, 0],
    }),
    defaultStyle: { font: 'Roboto', fontSize: 9.5, color: palette.text, lineHeight: 1.2 },
    styles: {
      title: { fontSize: 20, bold: true },
      heading: { fontSize: 14, bold: true, margin: [0, 14, 0, 5] },
      subheading: { fontSize: 11, bold: true, margin: [0, 10, 0, 3] },
      muted: { color: palette.muted },
      strong: { bold: true },
    },
    content: [
      { text: title, style: 'title' },
      { text: subtitle, style: 'muted', margin: [0, 0, 0, 12] },
      {
        columns: figures.map(({ label, value, below = '', tone = 'plain' }) => ({
          stack: [
            { text: label, style: 'muted' },
            { text: value, fontSize: 18, bold: true, color: colours[tone] },
            { text: below, style: 'muted' },
          ],
        })),
        columnGap: 14,
      },
      ...sections.flatMap(({ heading, paragraphs = [], tables = [] }): Content[] => [
        { text: heading, style: 'heading' },
        ...paragraphs.map((text): Content => ({ text, margin: [0, 0, 0, 4] })),
        ...tables.flatMap((table) =>
          tableOf(
            table,
            table.tones?.map((tone) => colours[tone]),
          ),
        ),
      ]),
    ],
  };
}
