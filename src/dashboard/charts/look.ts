/** Colours of one scheme; each pair that touches differs in lightness as well as in hue. */
export interface Palette {
  readonly background: string;
  readonly surface: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly grid: string;
  /** For series side by side (Okabe and Ito 2008, told apart by the colour-blind, too). */
  readonly series: readonly string[];
  readonly objective: string;
  readonly good: string;
  readonly warning: string;
  readonly critical: string;
  readonly info: string;
  /** Of bars: brighter than what text can be read in. */
  readonly fills: {
    readonly critical: string;
    readonly warning: string;
    readonly info: string;
    readonly recovering: string;
    readonly pending: string;
    readonly other: string;
  };
  /** Bands of a forecast, from the narrow one outwards. */
  readonly bands: readonly string[];
  /** Of the heatmap, from idle to exhausted. */
  readonly heat: readonly string[];
  readonly anomaly: string;
}

const light: Palette = {
  background: '#f4f5f7',
  surface: '#ffffff',
  text: '#1d2530',
  muted: '#545e6b',
  line: '#c9ced6',
  grid: '#e6e9ee',
  series: ['#0072b2', '#d55e00', '#009e73', '#8e5a9e', '#b98500', '#4fa3d9', '#6b7280', '#a03030'],
  objective: '#a3123a',
  good: '#0b7a4b',
  warning: '#9a5b00',
  critical: '#b3152d',
  info: '#0b5fa5',
  fills: { critical: '#c2263d', warning: '#e69f00', info: '#4fa3d9', recovering: '#2a9d6f', pending: '#b4bdc9', other: '#8e5a9e' },
  bands: ['#7fb3dd', '#cfe3f4'],
  heat: ['#e3eef8', '#9cc5e6', '#f0b35c', '#c2263d'],
  anomaly: '#c2263d',
};

const dark: Palette = {
  background: '#12161c',
  surface: '#1b2129',
  text: '#e8ecf1',
  muted: '#a3adb9',
  line: '#3c4653',
  grid: '#2a323d',
  series: ['#56b4e9', '#f0873a', '#2fc499', '#c79bd6', '#e6c229', '#8fb8ff', '#b0b7c1', '#f28b82'],
  objective: '#ff7a95',
  good: '#4cc38a',
  warning: '#f0b429',
  critical: '#ff6b7a',
  info: '#62b0f5',
  fills: { critical: '#e0485c', warning: '#e6a817', info: '#4f9fe0', recovering: '#34b27b', pending: '#5d6a7a', other: '#b58ac4' },
  bands: ['#35688f', '#233f56'],
  heat: ['#22364a', '#2f6797', '#c98a2b', '#e0485c'],
  anomaly: '#ff6b7a',
};

export type Scheme = 'light' | 'dark';
export const palettes: Readonly<Record<Scheme, Palette>> = { light, dark };

/** How a chart is to look: where it stands decides, not what it shows. */
export interface Look {
  readonly palette: Palette;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** A picture: nothing moves, and nothing answers the pointer. */
  readonly still: boolean;
  readonly font: string;
}
