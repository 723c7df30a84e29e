/** A label set of a result: where its value is found in the arrays beside. */
export interface QuerySlot {
  /** The same for the same name and labels, for maps. */
  readonly key: string;
  /** The metric, where the value is still one of it. */
  readonly name: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** Labels without empty ones, which are the same as absent. */
export function makeSlot(name: string | undefined, labels: Readonly<Record<string, string>>): QuerySlot {
  const names = Object.keys(labels).filter((label) => labels[label] !== '');
  names.sort();
  const kept = Object.freeze(Object.fromEntries(names.map((label) => [label, labels[label] as string])));
  return { key: `${name ?? ''}${names.length === 0 ? '' : JSON.stringify(kept)}`, name, labels: kept };
}

export function withoutName(slot: QuerySlot): QuerySlot {
  return slot.name === undefined ? slot : { key: slot.key.slice(slot.name.length), name: undefined, labels: slot.labels };
}

/** The labels of a slot that are listed, or all but those listed. */
export function pick(labels: Readonly<Record<string, string>>, listed: readonly string[], without: boolean): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const label of Object.keys(labels)) if (listed.includes(label) !== without) picked[label] = labels[label] as string;
  return picked;
}

/** How people write it: `metric{label="text"}`. */
export function slotText({ name, labels }: Pick<QuerySlot, 'name' | 'labels'>): string {
  const parts = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name ?? ''}${parts.length === 0 && name !== undefined ? '' : `{${parts.join(', ')}}`}`;
}
