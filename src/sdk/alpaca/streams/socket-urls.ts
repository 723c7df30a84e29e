/** Where Alpaca's streams are. */
export interface AlpacaSocketUrls {
  readonly trading: string;
  /** Of a host; the feed comes after it. */
  readonly data: string;
}

/** Source: docs.alpaca.markets, streaming market data: the data streams have hosts of their own. */
const DATA_STREAM_HOSTS: Readonly<Record<string, string>> = {
  'data.alpaca.markets': 'stream.data.alpaca.markets',
  'data.sandbox.alpaca.markets': 'stream.data.sandbox.alpaca.markets',
};

/** The streams that belong to the addresses of the REST APIs. */
export function socketUrlsFor(tradingUrl: string, dataUrl: string): AlpacaSocketUrls {
  const data = new URL(dataUrl.replace(/^http/, 'ws'));
  const host = DATA_STREAM_HOSTS[data.host] ?? data.host;
  return { trading: `${tradingUrl.replace(/^http/, 'ws').replace(/\/$/, '')}/stream`, data: `${data.protocol}//${host}` };
}
