import { asError, isVenueKitError } from '../../core/errors.js';
import { redactText } from '../../core/logger.js';
import type { Check } from '../check.js';
import type { CertificationContext } from '../context.js';

const FEWEST_FAMILIES = 10;

/** Every part that the options call for is there and answers, on the host's own kit. */
export const parts: Check = {
  id: 'component.parts',
  category: 'component',
  critical: true,
  async run(context) {
    const probes = Object.entries(probesOf(context));
    const silent: string[] = [];
    for (const [part, probe] of probes) {
      const failure = await context.live(probe()).catch((error: unknown) => redactText(asError(error).message));
      if (failure !== undefined) silent.push(`${part}: ${failure}`);
    }
    return {
      passed: silent.length === 0,
      measured: silent.length === 0 ? `${probes.length} of ${probes.length} answer` : silent.join('; '),
      required: 'every part answers',
      why: "Each part of the host's kit was asked for something that changes nothing.",
    };
  },
};

/** Each resolves with what is wrong, or with nothing. */
function probesOf({ host, symbol }: CertificationContext): Readonly<Record<string, () => Promise<string | undefined>>> {
  const { kit, options } = host;
  return {
    ...(options.broker === undefined
      ? {}
      : {
          trading: async () => {
            if (kit.trading === undefined) return 'missing, although there is a broker';
            const { broker } = options;
            await kit.trading.read('openOrders', async (attempt) => {
              for await (const _ of broker!.openOrders(attempt)) break;
            });
            return Array.isArray(kit.trading.orders()) && kit.trading.guards().place.breaker !== undefined ? undefined : 'gives no orders';
          },
        }),
    ...(options.marketData === undefined
      ? {}
      : {
          'market data': async () => {
            if (kit.marketData === undefined) return 'missing, although there is an adapter for it';
            try {
              const { value } = await kit.marketData.get('quote', { symbol });
              return value.bid <= value.ask ? undefined : `a quote of ${value.bid} to ${value.ask}`;
            } catch (error) {
              // That the venue does not know the symbol is an answer of it.
              if (isVenueKitError(error, 'UNKNOWN_SYMBOL')) return undefined;
              throw error;
            }
          },
        }),
    fetcher: async () => ((await kit.fetcher.run({ input: 20, run: async (input) => input + 1 })) === 21 ? undefined : 'gives a wrong result'),
    metrics: async () => {
      const families = kit.metrics.exposition().match(/^# TYPE /gm)?.length ?? 0;
      return families >= FEWEST_FAMILIES ? undefined : `only ${families} families of metrics`;
    },
    store: async () => {
      const { series, points } = await kit.store.stats();
      return series >= 0 && points >= 0 ? undefined : 'gives no statistics';
    },
    alerts: async () => (Array.isArray(kit.alerts.instances()) ? undefined : 'gives no alerts'),
    analytics: async () =>
      typeof kit.analytics.analyze === 'function' && typeof kit.analytics.forecast === 'function' ? undefined : 'can not analyze',
    bus: async () => (typeof kit.bus.has('order.state') === 'boolean' ? undefined : 'does not answer'),
  };
}
