import type { Json } from '../../shared/json.js';
import { Overrides } from '../../shared/overrides.js';
import { KeptReports } from '../streams/kept-reports.js';
import type { SocketKeeping } from './sdk-wire.js';

type Listener = (event: Json) => void;
type Close = (options?: object) => void;
type Follow = (listener?: Listener, transform?: boolean) => Promise<Close>;

/** `client.ws` of binance-api-node, by shape; the package itself is never imported. */
export interface ApiNodeSockets {
  user: Follow;
}

/** How the SDK calls the members of a report, unless it is asked for the venue's own names. Source: binance-api-node 0.13, websocket. */
const NAMES: Readonly<Record<string, string>> = {
  e: 'eventType',
  E: 'eventTime',
  s: 'symbol',
  c: 'newClientOrderId',
  C: 'originalClientOrderId',
  S: 'side',
  o: 'orderType',
  f: 'timeInForce',
  q: 'quantity',
  p: 'price',
  x: 'executionType',
  P: 'stopPrice',
  d: 'trailingDelta',
  F: 'icebergQuantity',
  X: 'orderStatus',
  r: 'orderRejectReason',
  i: 'orderId',
  T: 'orderTime',
  l: 'lastTradeQuantity',
  z: 'totalTradeQuantity',
  L: 'priceLastTrade',
  n: 'commission',
  N: 'commissionAsset',
  t: 'tradeId',
  w: 'isOrderWorking',
  m: 'isBuyerMaker',
  O: 'creationTime',
  Z: 'totalQuoteTradeQuantity',
  g: 'orderListId',
  Q: 'quoteOrderQuantity',
  Y: 'lastQuoteTransacted',
  D: 'trailingTime',
};
const LETTERS: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(NAMES).map(([letter, name]) => [name, letter]));

/**
 * Keeps the account's events of binance-api-node without holes. The SDK connects anew by itself, and tells nobody when: whether
 * everything was told is looked up every few seconds, and a stream that was silent about something is replaced by another.
 */
export function keepApiNodeEvents(sockets: ApiNodeSockets, parts: SocketKeeping): Disposable {
  const overrides = new Overrides(sockets);
  const watches = new Set<Disposable>();
  overrides.wrap<Follow>('user', (follow) => async (listener = () => {}, transform = true) => {
    const given = new WeakMap<Json, Json>();
    const reports = new KeptReports(parts.path, parts.closing, (event) => listener(given.get(event) ?? shapeOf(event, transform)));
    const hear: Listener = (event) => {
      const own = ownShapeOf(event, transform);
      given.set(own, event);
      reports.take(own);
    };
    let close = await follow(hear, transform);
    let isLeft = false;
    reports.subscribed();
    const replace = async (): Promise<void> => {
      try {
        const next = await follow(hear, transform);
        const silent = close;
        close = next;
        silent();
        if (isLeft) next();
      } catch (error) {
        parts.path.session.logger.warn(
          { error },
          'a stream of the account that was silent could not be replaced; the SDK goes on trying to reconnect it',
        );
      }
    };
    const watch = reports.watch(() => void replace());
    watches.add(watch);
    return (options) => {
      isLeft = true;
      watch[Symbol.dispose]();
      watches.delete(watch);
      close(options);
    };
  });
  return {
    [Symbol.dispose]: () => {
      overrides[Symbol.dispose]();
      for (const watch of watches) watch[Symbol.dispose]();
    },
  };
}

/** An event in the venue's own names. Others than reports are only handed on. */
function ownShapeOf(event: Json, isTransformed: boolean): Json {
  if (!isTransformed) {
    const { type, ...rest } = event;
    return { e: type, ...rest };
  }
  if (event.eventType !== 'executionReport') return { e: event.eventType };
  return Object.fromEntries(Object.entries(event).flatMap(([name, value]) => (LETTERS[name] === undefined ? [] : [[LETTERS[name], value]])));
}

/** A report as the SDK gives it. */
function shapeOf({ e: type, recovered, ...rest }: Json, isTransformed: boolean): Json {
  if (!isTransformed) return { type, ...rest, recovered };
  const members = Object.entries({ e: type, ...rest }).flatMap(([letter, value]) => (NAMES[letter] === undefined ? [] : [[NAMES[letter], value]]));
  return { ...(Object.fromEntries(members) as Json), recovered };
}
