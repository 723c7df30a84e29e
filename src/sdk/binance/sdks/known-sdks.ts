import { API_NODE_METHODS, type ApiNodeClient, apiNodeSdk } from './sdk-api-node.js';
import { CONNECTOR_METHODS, type Connector, connectorSdk } from './sdk-connector.js';
import { SIEBLY_METHODS, type SieblyClient, sieblySdk } from './sdk-siebly.js';
import { SIEBLY_API_METHODS, type SieblyApiClient, sieblyApiSdk } from './sdk-siebly-api.js';
import { SPOT_METHODS, type SpotClient, spotSdk } from './sdk-spot.js';
import type { BinanceSdk } from './sdk-wire.js';

type Members = Readonly<Record<string, unknown>>;

/** An SDK, and how it is recognised: by what it has, since a bot may hold another copy of it. */
interface KnownSdk {
  readonly isIt: (sdk: Members) => boolean;
  readonly name: string;
  readonly oldest: string;
  /** Without which it is too old. */
  readonly methods: readonly string[];
  /** Where they are. @defaultValue the object itself */
  readonly within?: string;
  readonly of: (sdk: object) => BinanceSdk;
}

const KNOWN: readonly KnownSdk[] = [
  {
    name: '@binance/connector',
    oldest: '3.0',
    isIt: (sdk) => typeof sdk.baseURL === 'string' && typeof sdk.signRequest === 'function',
    methods: CONNECTOR_METHODS,
    of: (sdk) => connectorSdk(sdk as Connector),
  },
  {
    name: 'binance',
    oldest: '3.0',
    isIt: (sdk) => typeof sdk.baseUrl === 'string' && typeof sdk.globalRequestOptions === 'object',
    methods: SIEBLY_METHODS,
    of: (sdk) => spotOnly(sdk as SieblyClient),
  },
  {
    name: 'binance',
    oldest: '3.0',
    isIt: (sdk) => typeof sdk.getWSClient === 'function',
    methods: SIEBLY_API_METHODS,
    of: (sdk) => sieblyApiSdk(sdk as SieblyApiClient),
  },
  {
    name: '@binance/spot',
    oldest: '32.0',
    isIt: ({ restAPI }) => typeof restAPI === 'object' && restAPI !== null && 'configuration' in restAPI,
    within: 'restAPI',
    methods: SPOT_METHODS,
    of: (sdk) => spotSdk(sdk as SpotClient),
  },
  {
    name: 'binance-api-node',
    oldest: '0.13',
    isIt: (sdk) => typeof sdk.getInfo === 'function' && typeof sdk.candles === 'function' && typeof sdk.order === 'function',
    methods: API_NODE_METHODS,
    of: (sdk) => apiNodeSdk(sdk as unknown as ApiNodeClient),
  },
];

/** Objects of the same packages that are no client: what to do instead. */
const SOCKETS: readonly { readonly isIt: (sdk: Members) => boolean; readonly words: string }[] = [
  {
    isIt: (sdk) => 'wsConnection' in sdk && typeof sdk.sendSignatureMessage === 'function',
    words:
      'sdk is a WebsocketAPI of @binance/connector, whose calls give nothing back that an order could be followed by: send its orders through `resilient(new Spot(apiKey, apiSecret))`',
  },
  {
    isIt: (sdk) => 'wsConnection' in sdk,
    words:
      'sdk is a WebsocketStream of @binance/connector, which stays as it is: give `new Spot(apiKey, apiSecret)`, and follow own orders with `toAdapter` of that',
  },
  {
    isIt: (sdk) => typeof sdk.sendWSAPIRequest === 'function',
    words:
      'sdk is a WebsocketClient of binance, which stays as it is: give `new MainClient({ api_key, api_secret })`, and follow own orders with `toAdapter` of that',
  },
  {
    isIt: ({ restAPI, websocketAPI, websocketStreams }) => restAPI === undefined && (websocketAPI !== undefined || websocketStreams !== undefined),
    words:
      'sdk is a client of @binance/spot without restAPI: give its constructor `configurationRestAPI` with the same keys, too, since what its sockets have lost is read there',
  },
];

function spotOnly(sdk: SieblyClient): BinanceSdk {
  const key = sdk.getBaseUrlKey();
  if (!key.startsWith('spot'))
    throw new TypeError(`sdk is a client of binance for "${key}"; venuekit/binance knows spot trading, \`new MainClient({ api_key, api_secret })\``);
  return sieblySdk(sdk);
}

/** @throws TypeError that says what is missing, unless `sdk` has the shape of a known SDK. */
export function requireBinanceSdk(sdk: object): BinanceSdk {
  const members = sdk as Members;
  const isObject = typeof sdk === 'object' && (sdk as unknown) !== null;
  const socket = isObject ? SOCKETS.find(({ isIt }) => isIt(members)) : undefined;
  if (socket !== undefined) throw new TypeError(socket.words);
  const known = isObject ? KNOWN.find(({ isIt }) => isIt(members)) : undefined;
  if (known === undefined) {
    throw new TypeError(
      'sdk must be an object of one of the SDKs for Binance spot: `new Spot(apiKey, apiSecret)` of @binance/connector, `new Spot({ configurationRestAPI })` of @binance/spot, `new MainClient({ api_key, api_secret })` of binance or `Binance({ apiKey, apiSecret })` of binance-api-node; for ccxt there is venuekit/ccxt',
    );
  }
  const { within } = known;
  const holder = within === undefined ? members : (members[within] as Members);
  const missing = known.methods.find((method) => typeof holder[method] !== 'function');
  if (missing !== undefined)
    throw new TypeError(
      `sdk is an object of ${known.name} without ${within === undefined ? '' : `${within}.`}${missing}(); venuekit/binance needs ${known.name} ${known.oldest} or newer`,
    );
  return known.of(sdk);
}

/** @throws TypeError that names what is missing of a pair. Without both it is for public data only. */
export function requireWholeCredentials(sdk: BinanceSdk): void {
  const { apiKey = '', secret = '' } = sdk.credentials() ?? {};
  if ((apiKey === '') !== (secret === ''))
    throw new TypeError(`sdk has an API ${apiKey === '' ? 'secret and no key' : 'key and no secret'}: give both to the constructor of ${sdk.name}`);
}

/** @throws TypeError without credentials. */
export function requireCredentials(sdk: BinanceSdk): void {
  requireWholeCredentials(sdk);
  if (!hasCredentials(sdk)) throw new TypeError(`sdk has no credentials: give API key and secret to the constructor of ${sdk.name}`);
}

export function hasCredentials(sdk: BinanceSdk): boolean {
  if (sdk.canSign !== undefined) return sdk.canSign();
  const { apiKey = '', secret = '' } = sdk.credentials() ?? {};
  return apiKey !== '' && secret !== '';
}
