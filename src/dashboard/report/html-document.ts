import { escapeMarkup as text } from '../drawing/svg-text.js';
import type { TextDocument, Tone } from './document.js';
import { HTML_STYLE } from './html-style.js';
import type { Table } from './tables.js';

/** One HTML file around `body`: no script, no request; `images` allows those that stand in the file itself. */
export function htmlPage(title: string, body: string, images = false): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'${images ? '; img-src data:' : ''}">
<title>${text(title)}</title>
<style>${HTML_STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

/** A text document as one HTML file: no script, no request. */
export function htmlDocument({ title, subtitle, figures, sections }: TextDocument): string {
  return htmlPage(
    title,
    `<section class="first">
<h1>${text(title)}</h1>
<p class="muted">${text(subtitle)}</p>
<dl class="figures">
${figures.map(({ label, value, below, tone = 'plain' }) => `<div><dt>${text(label)}</dt><dd class="big ${tone}">${text(value)}</dd>${below === undefined ? '' : `<dd class="muted">${text(below)}</dd>`}</div>`).join('\n')}
</dl>
</section>
${sections
  .map(
    ({ heading, paragraphs = [], tables = [] }) =>
      `<section>\n<h2>${text(heading)}</h2>\n${paragraphs.map((paragraph) => `<p>${text(paragraph)}</p>`).join('\n')}\n${tables.map((table) => htmlTable(table, table.tones)).join('\n')}\n</section>`,
  )
  .join('\n')}`,
  );
}

/** A table with what stands above and below it; a tone colours the row's first cell. */
export function htmlTable({ title, columns, rows, empty, note }: Table, tones: readonly Tone[] = []): string {
  const heading = title === '' ? '' : `<h3>${text(title)}</h3>`;
  if (rows.length === 0) return `${heading}<p>${text(empty)}</p>`;
  const head = (i: number): string => (tones[i] === undefined ? '' : ` class="${tones[i]}"`);
  return `${heading}
<div class="wide"><table><thead><tr>${columns.map((column) => `<th scope="col">${text(column)}</th>`).join('')}</tr></thead><tbody>
${rows.map((row, r) => `<tr>${row.map((cell, i) => (i === 0 ? `<th scope="row"${head(r)}>${text(cell)}</th>` : `<td>${text(cell)}</td>`)).join('')}</tr>`).join('\n')}
</tbody></table></div>${note === undefined ? '' : `<p class="muted">${text(note)}</p>`}`;
}
