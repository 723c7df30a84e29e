import { type Palette, palettes } from './look.js';

/** A colour of the palette in both schemes. */
interface Pair {
  readonly light: string;
  readonly dark: string;
}

/** No colour of ECharts and none of ours begins so: a mark that is found in a picture is one of these. */
const MARK = 0xfe_a0_00;

const pairs: Pair[] = [];
const marked = marksOf(palettes.light, palettes.dark) as Palette;

/** A palette of marks: a picture that is drawn in it can be shown in either scheme. */
export const markedPalette: Palette = marked;

/** What a mark stands for in a style: the name of a variable; undefined for what is no mark. */
export function variableOf(colour: string): string | undefined {
  const index = /^#[0-9a-f]{6}$/.test(colour) ? Number.parseInt(colour.slice(1), 16) - MARK : -1;
  return index >= 0 && index < pairs.length ? `var(--chart-${index})` : undefined;
}

/** The variables in both schemes, as a rule of a style sheet. */
export const schemeColours = (): string => `:root{${pairs.map(({ light, dark }, i) => `--chart-${i}:light-dark(${light},${dark})`).join(';')}}\n`;

// Two uses of one colour in the light scheme may differ in the dark one: each place has a mark of its own.
function marksOf(light: unknown, dark: unknown): unknown {
  if (typeof light === 'string') {
    pairs.push({ light, dark: dark as string });
    return `#${(MARK + pairs.length - 1).toString(16)}`;
  }
  if (Array.isArray(light)) return light.map((one, i) => marksOf(one, (dark as unknown[])[i]));
  return Object.fromEntries(Object.entries(light as object).map(([name, one]) => [name, marksOf(one, (dark as Record<string, unknown>)[name])]));
}
