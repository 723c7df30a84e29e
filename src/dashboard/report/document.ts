import type { Table } from './tables.js';

/** How a figure or a mark is to be seen. */
export type Tone = 'good' | 'warning' | 'critical' | 'muted' | 'plain';

/** A text of figures and tables, for reports that draw nothing. Plain data: it is typeset on a thread. */
export interface TextDocument {
  readonly title: string;
  /** Under the title, and at the foot of each page. */
  readonly subtitle: string;
  /** Large, in a row at the top. */
  readonly figures: readonly { readonly label: string; readonly value: string; readonly below?: string; readonly tone?: Tone }[];
  readonly sections: readonly {
    readonly heading: string;
    readonly paragraphs?: readonly string[];
    readonly tables?: readonly DocumentTable[];
  }[];
}

/** A table in which rows may stand out. */
export interface DocumentTable extends Table {
  /** By row. */
  readonly tones?: readonly Tone[];
}
