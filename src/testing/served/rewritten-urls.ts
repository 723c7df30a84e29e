/** ccxt's table of addresses, which is nested, with every host replaced; paths stay. */
export function rewrittenUrls(api: Record<string, unknown>, host: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(api).map(([name, member]) => [name, rewriteMember(member, host)]));
}

function rewriteMember(value: unknown, host: string): unknown {
  if (typeof value === 'string') return value.replace(/^(http|ws)s?:\/\/[^/]+/, `$1://${host}`);
  if (Array.isArray(value)) return value.map((item) => rewriteMember(item, host));
  if (typeof value !== 'object' || value === null) return value;
  return rewrittenUrls(value as Record<string, unknown>, host);
}
