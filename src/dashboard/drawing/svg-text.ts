const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text for markup, in elements and in attributes: whatever it holds, it stays text. Control characters, which XML can't hold, are dropped. */
export function escapeMarkup(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

// Mean width of a character, in its size; a little more than that of Roboto, so that lines end in time.
const CHARACTER = 0.5;

/** Breaks a text at spaces so that each line fits; what is more than `most` lines ends in an ellipsis. */
export function wrapText(text: string, width: number, size: number, most: number): readonly string[] {
  const fits = Math.max(8, Math.floor(width / (size * CHARACTER)));
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(/\s+/).flatMap((whole) => pieces(whole, fits))) {
    if (current !== '' && current.length + 1 + word.length > fits) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  if (current !== '') lines.push(current);
  if (lines.length <= most) return lines;
  const last = lines[most - 1]!;
  return [...lines.slice(0, most - 1), `${last.slice(0, Math.max(1, fits - 1)).replace(/\s+$/, '')}…`];
}

function pieces(word: string, fits: number): string[] {
  if (word.length <= fits) return [word];
  return Array.from({ length: Math.ceil(word.length / fits) }, (_, i) => word.slice(i * fits, (i + 1) * fits));
}

/** Text at a place of an SVG picture. */
export interface TextStyle {
  readonly size: number;
  readonly fill: string;
  readonly weight?: 400 | 500;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function svgText(text: string, x: number, y: number, { size, fill, weight = 400, anchor = 'start' }: TextStyle): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" font-weight="${weight}" text-anchor="${anchor}">${escapeMarkup(text)}</text>`;
}
