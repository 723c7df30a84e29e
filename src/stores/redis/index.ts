export { type CarriedEvent, type RedisBusBridge, type RedisBusBridgeOptions, redisBusBridge } from './bus-bridge.js';
export { RedisCacheStore, type RedisCacheStoreOptions, redisCacheStore } from './cache-store.js';
export { RedisLimits, type RedisLimitsOptions, redisLimits } from './limits.js';
export type { IoRedisClient, NodeRedisClient, RedisClient } from './redis-client.js';
export { type RedisBreakers, type RedisBreakersOptions, redisBreakers, type Trippable } from './shared-breakers.js';
