export { bridgeToOpenTelemetry, type OpenTelemetryBridgeOptions } from './bridge.js';
