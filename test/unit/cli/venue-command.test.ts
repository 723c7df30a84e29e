import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { run } from '../../../src/cli/run.js';
import { FAULT_PRESETS } from '../../../src/cli/venue/fault-presets.js';
import { SimulatedVenue } from '../../../src/testing/index.js';
import { givenATerminal } from './terminal.js';

/** A command that is running, and what it has printed on standard output first. */
async function givenAServedVenue(...args: string[]) {
  const { output, terminal } = givenATerminal();
  const interruption = new AbortController();
  let announce = (_: string): void => {};
  const announced = new Promise<string>((resolve) => {
    announce = resolve;
  });
  const ended = run(['venue', ...args], {
    ...terminal,
    out: (text) => {
      terminal.out(text);
      announce(text);
    },
    signal: interruption.signal,
  });
  return { output, first: await announced, interrupt: () => interruption.abort(), ended };
}

describe('venuekit venue', () => {
  it('serves Binance’s protocol until it is interrupted, and says where on standard output', async () => {
    const { first, output, interrupt, ended } = await givenAServedVenue('--protocol', 'binance', '--port', '0', '--seed', '7', '--json');
    const { url, wsUrl, apiKey, secret } = JSON.parse(first);
    expect({ apiKey, secret }).toEqual({ apiKey: expect.any(String), secret: expect.any(String) });
    const stream = new WebSocket(`${wsUrl}/ws/btcusdt@bookTicker`);
    const [message] = await once(stream, 'message');
    expect(JSON.parse(String(message))).toMatchObject({ s: 'BTCUSDT' });
    stream.terminate();
    const response = await fetch(`${url}/api/v3/time`);
    expect(await response.json()).toEqual({ serverTime: expect.any(Number) });
    interrupt();
    expect(await ended).toBe(0);
    expect(output.err).toMatch(/0 orders, 0 fills/);
    await expect(fetch(`${url}/api/v3/time`)).rejects.toThrow();
  });

  it('serves Alpaca’s protocol, too', async () => {
    const { first, interrupt, ended } = await givenAServedVenue('--protocol', 'alpaca', '--json');
    const { url, apiKey, secret, protocol } = JSON.parse(first);
    expect(protocol).toBe('alpaca');
    const account = await fetch(`${url}/v2/account`, { headers: { 'APCA-API-KEY-ID': apiKey, 'APCA-API-SECRET-KEY': secret } });
    expect(await account.json()).toMatchObject({ status: 'ACTIVE', cash: '100000' });
    interrupt();
    expect(await ended).toBe(0);
  });

  it('serves Kraken’s protocol, too, which is REST only', async () => {
    const { first, interrupt, ended } = await givenAServedVenue('--protocol', 'kraken', '--json');
    const { url, protocol, ...others } = JSON.parse(first);
    expect(protocol).toBe('kraken');
    expect(others).not.toHaveProperty('wsUrl');
    const time = await fetch(`${url}/0/public/Time`);
    expect(await time.json()).toMatchObject({ error: [], result: { unixtime: expect.any(Number) } });
    interrupt();
    expect(await ended).toBe(0);
  });

  it('does what it is told to do wrong', async () => {
    const { first, interrupt, ended } = await givenAServedVenue('--faults', 'storm', '--seed', '3');
    const [url] = first.split('\n');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, async () => (await fetch(`${url}/api/v3/time`, { signal: AbortSignal.timeout(1_000) })).json()),
    );
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    interrupt();
    expect(await ended).toBe(0);
  });

  it.each([
    ['--port', 'eighty', /--port.*whole number from 0 to 65535/],
    ['--port', '70000', /--port.*whole number from 0 to 65535/],
    ['--seed', '1.5', /--seed.*whole number/],
    ['--protocol', 'fix', /--protocol.*Allowed choices are binance, alpaca, kraken/],
    ['--faults', 'hail', /--faults.*Allowed choices are calm, light, storm/],
    ['--sed', '7', /unknown option '--sed'.*--seed/s],
  ])('refuses %s %s with 2', async (option, value, message) => {
    const { output, terminal } = givenATerminal();
    expect(await run(['venue', option, value], terminal)).toBe(2);
    expect(output).toMatchObject({ out: '', err: expect.stringMatching(message) });
  });

  it('ends with 1 when the port is taken, naming it', async () => {
    const { first, interrupt, ended } = await givenAServedVenue();
    const port = new URL(first.split('\n')[0] as string).port;
    const { output, terminal } = givenATerminal();
    expect(await run(['venue', '--port', port], terminal)).toBe(1);
    expect(output.err).toMatch(new RegExp(`Port ${port}`));
    interrupt();
    await ended;
  });
});

describe('FAULT_PRESETS', () => {
  it.each([
    ['light', 0.05],
    ['storm', 0.2],
  ] as const)('%s strikes about %d of the requests', (name, share) => {
    const requests = FAULT_PRESETS[name].filter(({ kind }) => !kind.startsWith('stream_'));
    const spared = requests.reduce((left, { probability = 1 }) => left * (1 - probability), 1);
    expect(1 - spared).toBeGreaterThan(share * 0.85);
    expect(1 - spared).toBeLessThan(share * 1.1);
  });

  it('holds only faults that the venue knows', () => {
    const venue = new SimulatedVenue({ seed: 1 });
    for (const fault of Object.values(FAULT_PRESETS).flat()) expect(() => venue.fault(fault)).not.toThrow();
  });
});
