import type { Content, TDocumentDefinitions } from 'pdfmake/interfaces.js';
import { palettes } from '../charts/look.js';
import type { TextDocument, Tone } from './document.js';
import { a4, type Fonts, pdfBytes, tableOf } from './pdf-report.js';

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
    ...a4(title, subtitle),
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
