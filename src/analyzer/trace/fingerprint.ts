import type { Bars, MarketKind, OrderBook, Quote, Trade } from '../../contracts/market-data.js';

const LEVELS = 5;

/** What has to differ for a value to say something new: not the time at which it was told. */
export function fingerprint(kind: MarketKind, value: unknown): number {
  return hash(textOf(kind, value));
}

function textOf(kind: MarketKind, value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  switch (kind) {
    case 'quote': {
      const { bid, ask, bidSize, askSize, last } = value as Quote;
      return `${bid} ${ask} ${bidSize} ${askSize} ${last}`;
    }
    case 'book': {
      const { bids, asks } = value as OrderBook;
      return `${bids?.slice(0, LEVELS).join(' ')}|${asks?.slice(0, LEVELS).join(' ')}`;
    }
    case 'trades': {
      const trades = value as readonly Trade[];
      return `${trades.length} ${trades[0]?.id} ${trades.at?.(-1)?.id}`;
    }
    case 'bars': {
      const { t, close, volume } = value as Bars;
      return `${t?.length} ${t?.at(-1)} ${close?.at(-1)} ${volume?.at(-1)}`;
    }
    case 'instrument':
      return JSON.stringify(value);
  }
}

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
