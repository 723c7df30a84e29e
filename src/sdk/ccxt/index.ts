export { type CcxtAdapterOptions, toAdapter } from './binance-adapter.js';
