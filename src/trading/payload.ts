import { createHash } from 'node:crypto';
import type { OrderIntent } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import { fromNumber, isDecimal, normalize, sign } from '../core/decimal.js';
import { nearest } from '../core/options.js';

const SIDES = ['buy', 'sell'];
const TYPES = ['market', 'limit', 'stop', 'stop_limit'];
const TIMES_IN_FORCE = ['gtc', 'ioc', 'fok', 'day'];
const MEMBERS: readonly (keyof OrderIntent)[] = [
  'intentId',
  'account',
  'symbol',
  'side',
  'type',
  'qty',
  'quoteQty',
  'price',
  'stopPrice',
  'timeInForce',
  'reduceOnly',
  'validUntil',
  'extra',
];

/**
 * The intent as it will be kept: decimals in canonical form, a copy of the caller's object, so that
 * nobody can change it later.
 * @throws TradingError INVALID that names member, expectation and value.
 */
export function checkedIntent(intent: OrderIntent, account: string): OrderIntent {
  if (typeof intent !== 'object' || intent === null) throw invalid('intent', 'an object', intent);
  for (const name of Object.keys(intent)) {
    if ((MEMBERS as readonly string[]).includes(name)) continue;
    const near = nearest(name, MEMBERS);
    throw new TradingError('INVALID', `An intent has no member "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`);
  }
  if (intent.intentId !== undefined) requireText('intentId', intent.intentId);
  if (intent.intentId?.startsWith('@') === true) throw invalid('intentId', 'without a leading "@", which is for the journal itself', intent.intentId);
  requireText('symbol', intent.symbol);
  requireOneOf('side', intent.side, SIDES);
  requireOneOf('type', intent.type, TYPES);
  if (intent.reduceOnly !== undefined && typeof intent.reduceOnly !== 'boolean') throw invalid('reduceOnly', 'true or false', intent.reduceOnly);
  if (intent.timeInForce !== undefined) requireOneOf('timeInForce', intent.timeInForce, TIMES_IN_FORCE);
  if (intent.account !== undefined && intent.account !== account)
    throw invalid('account', `"${account}", the account of this client`, intent.account);
  if (intent.validUntil !== undefined && !Number.isFinite(intent.validUntil)) throw invalid('validUntil', 'epoch milliseconds', intent.validUntil);
  if (intent.quoteQty !== undefined) {
    // At a price few venues take one: where extra has their own request for it.
    if (intent.type !== 'market' && !(intent.type === 'limit' && intent.extra !== undefined))
      throw invalid('quoteQty', `absent from a ${intent.type} order`, intent.quoteQty);
    if (!isDecimal(intent.qty) || sign(intent.qty) !== 0) throw invalid('qty', '"0" where quoteQty is given', intent.qty);
  }
  const qty = intent.quoteQty === undefined && !isForVenueToSay(intent) ? positive('qty', intent.qty) : '0';
  const needsPrice = intent.type === 'limit' || intent.type === 'stop_limit';
  if (needsPrice && intent.price === undefined) throw invalid('price', `given for a ${intent.type} order`, intent.price);
  if (!needsPrice && intent.price !== undefined) throw invalid('price', `absent from a ${intent.type} order`, intent.price);
  const needsStop = intent.type === 'stop' || intent.type === 'stop_limit';
  if (needsStop && intent.stopPrice === undefined && intent.extra === undefined)
    throw invalid('stopPrice', `given for a ${intent.type} order, unless extra says what triggers it`, intent.stopPrice);
  // A limit order that was meant as a stop_limit would rest, or fill, at once.
  if (!needsStop && intent.stopPrice !== undefined) throw invalid('stopPrice', `absent from a ${intent.type} order`, intent.stopPrice);
  return {
    ...intent,
    qty,
    ...(intent.quoteQty === undefined ? undefined : { quoteQty: positive('quoteQty', intent.quoteQty) }),
    ...(intent.price === undefined ? undefined : { price: positive('price', intent.price) }),
    ...(intent.stopPrice === undefined ? undefined : { stopPrice: positive('stopPrice', intent.stopPrice) }),
    ...(intent.extra === undefined ? undefined : { extra: ownCopy(intent.extra) }),
  };
}

/** Whether the order is made of a request of the venue's own, which leaves it to the venue how much it is over. */
function isForVenueToSay({ qty, extra }: OrderIntent): boolean {
  return typeof extra?.request === 'object' && isDecimal(qty) && sign(qty) === 0;
}

/** A positive decimal in canonical form. @throws TradingError INVALID */
export function positive(name: string, value: unknown): string {
  if (!isDecimal(value)) throw invalid(name, 'a decimal string such as "0.015"', value);
  if (sign(value) <= 0) throw invalid(name, 'above 0', value);
  return normalize(value);
}

/**
 * A hash of what the intent asks for, its id aside: the same for the same order, whatever the order of keys, and whether an SDK writes
 * what is in `extra` as numbers or as text: over REST everything is text, over a socket 1 is 1.
 */
export function payloadHash(intent: OrderIntent): string {
  const { intentId: _, account: __, extra, ...payload } = intent;
  return createHash('sha256')
    .update(canonical(extra === undefined ? payload : { ...payload, extra: asText(extra) }))
    .digest('base64url');
}

/** Numbers, and decimals that are written as text, in one form. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asText(member)]));
  if (typeof value === 'number' && Number.isFinite(value)) return fromNumber(value);
  return isDecimal(value) ? normalize(value) : value;
}

/** JSON with sorted keys and without undefined members. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = value as Record<string, unknown>;
  const parts: string[] = [];
  for (const name of Object.keys(members).sort()) {
    if (members[name] !== undefined) parts.push(`${JSON.stringify(name)}:${canonical(members[name])}`);
  }
  return `{${parts.join(',')}}`;
}

/** TradingError INVALID: nothing was sent, nothing written. */
export function invalid(name: string, expectation: string, value: unknown): TradingError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' && value !== null ? 'an object' : String(value);
  return new TradingError('INVALID', `${name} must be ${expectation}, got ${shown}`);
}

// What can't be written to the journal can't be hashed after a restart either.
function ownCopy(extra: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof extra !== 'object' || extra === null || Array.isArray(extra)) throw invalid('extra', 'an object', extra);
  try {
    return JSON.parse(canonical(extra)) as Record<string, unknown>;
  } catch (cause) {
    throw new TradingError('INVALID', 'extra must hold nothing but JSON values: it is kept in the journal', { cause });
  }
}

function requireText(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw invalid(name, 'a non-empty string', value);
}

function requireOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw invalid(name, `one of ${allowed.map((item) => `"${item}"`).join(', ')}`, value);
}
