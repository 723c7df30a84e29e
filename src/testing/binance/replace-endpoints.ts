import { compare, isDecimal, sign } from '../../core/decimal.js';
import { ok, type WireReply } from '../served/wire-reply.js';
import { type Answer, refuse } from '../venue/answers.js';
import type { OrderRecord } from '../venue/order-record.js';
import { checkTerms } from '../venue/order-terms.js';
import { fromUnits } from '../venue/units.js';
import { deskOf, type Endpoint, isReply, type Request } from './endpoint.js';
import { namedOrder, orderRequestOf, responseDetail } from './order-requests.js';
import { amendedJson, cancelledJson, placedJson } from './wire-format.js';
import { failure, missing, refusalReply } from './wire-reply.js';

const MODES = ['STOP_ON_FAILURE', 'ALLOW_FAILURE'];
const RESTRICTIONS: Readonly<Record<string, OrderRecord['latest']['state']>> = { ONLY_NEW: 'working', ONLY_PARTIALLY_FILLED: 'partially_filled' };
const CONFLICT = 409;

/** What changes an open order. Source: binance-spot-api-docs, rest-api.md, cancel-replace and amend keep priority; errors.md. */
export const replaceEndpoints: Readonly<Record<string, Endpoint>> = {
  'POST /api/v3/order/cancelReplace': { operation: 'place', signed: true, weight: 1, run: cancelReplace },
  'PUT /api/v3/order/amend/keepPriority': { operation: 'place', signed: true, weight: 4, orders: 0, run: amend },
};

/** Cancels one order and places another: two steps, of which each can fail alone. */
function cancelReplace(request: Request): WireReply {
  const { core, params, account } = request;
  const mode = params.get('cancelReplaceMode');
  if (mode === null) return missing('cancelReplaceMode');
  if (!MODES.includes(mode)) return failure(-1100, "Illegal characters found in parameter 'cancelReplaceMode'.");
  const wanted = orderRequestOf(request);
  if (isReply(wanted)) return wanted;
  const old = namedOrder(request, ['cancelOrderId', 'cancelOrigClientOrderId']);
  if (isReply(old)) return old;
  // Filters come before either step.
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  const unfit = checkTerms(wanted, desk.market.symbol, desk.market.askUnits(core.agenda.now));
  const venueNow = core.venueClock.venueNow();
  if (!unfit.ok) return refusalReply(unfit, venueNow);
  const cancelled = cancelWithin(request, old.found);
  const id = cancelled.ok ? params.get('cancelNewClientOrderId') || `cancel_${cancelled.value.id}` : '';
  const cancelResponse = cancelled.ok ? cancelledJson(cancelled.value, id) : refusalReply(cancelled, venueNow).body;
  const cancelResult = cancelled.ok ? 'SUCCESS' : 'FAILURE';
  if (!cancelled.ok && mode === 'STOP_ON_FAILURE')
    return failed({ cancelResult, newOrderResult: 'NOT_ATTEMPTED', cancelResponse, newOrderResponse: null });
  const placed = core.engine.place(account, wanted, params.get('newClientOrderId') || `sim_${core.log.count.toString(36)}`);
  if (placed.ok) request.placed(placed.value);
  const newOrderResponse = placed.ok ? placedJson(placed.value, responseDetail(params, wanted.type)) : refusalReply(placed, venueNow).body;
  const data = { cancelResult, newOrderResult: placed.ok ? 'SUCCESS' : 'FAILURE', cancelResponse, newOrderResponse };
  if (cancelled.ok && placed.ok) return ok(data);
  return cancelled.ok || placed.ok ? { status: CONFLICT, body: { code: -2021, msg: 'Order cancel-replace partially failed.', data } } : failed(data);
}

function failed(data: object): WireReply {
  return { status: 400, body: { code: -2022, msg: 'Order cancel-replace failed.', data } };
}

function cancelWithin({ core, params, account }: Request, order: OrderRecord | undefined): Answer<OrderRecord> {
  if (order === undefined) return refuse('unknown_order', 'Unknown order sent.');
  const only = RESTRICTIONS[params.get('cancelRestrictions') ?? ''];
  if (only !== undefined && order.isLive && order.latest.state !== only)
    return refuse('unknown_order', 'Order was not canceled due to cancel restrictions.');
  return core.engine.cancel(account, { venueOrderId: String(order.id) });
}

/** Makes an order smaller where it stands. */
function amend(request: Request): WireReply {
  const { core, params } = request;
  const named = namedOrder(request);
  if (isReply(named)) return named;
  const newQty = params.get('newQty');
  if (newQty === null) return missing('newQty');
  const order = named.found;
  if (order === undefined || !order.isLive) return failure(-2038, 'Unknown order sent.');
  const { clientOrderId: before, symbol } = order;
  if (!isDecimal(newQty) || sign(newQty) <= 0 || compare(newQty, fromUnits(order.qty, symbol.qtyPlaces)) >= 0)
    return failure(-2038, 'Order amend (quantity increase) is not supported.');
  const answer = core.engine.amend(order, { qty: newQty, clientOrderId: params.get('newClientOrderId') || `sim_${core.log.count.toString(36)}` });
  return answer.ok ? ok(amendedJson(answer.value, before, core.log.count)) : refusalReply(answer, core.venueClock.venueNow());
}
