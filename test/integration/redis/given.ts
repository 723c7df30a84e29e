import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../../../src/stores/redis/index.js';

/** A client as a host makes one, and how it is closed. */
export interface HostClient extends AsyncDisposable {
  readonly client: RedisClient;
}

/** Both clients that hosts use. */
export const CLIENTS: Readonly<Record<string, (port: number) => Promise<HostClient>>> = {
  ioredis: async (port) => {
    const client = new Redis({ port, host: '127.0.0.1' });
    client.on('error', () => {});
    return {
      client,
      [Symbol.asyncDispose]: async () => client.disconnect(),
    };
  },
  'node-redis': async (port) => {
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on('error', () => {});
    await client.connect();
    return {
      client: client as unknown as RedisClient,
      [Symbol.asyncDispose]: async () => client.destroy(),
    };
  },
};
