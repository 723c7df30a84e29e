/** What is used of an answer: rows by column. */
export interface PostgresResult {
  readonly rows: readonly PostgresRow[];
}

/** Values as the host's type parsers give them: numbers of 64 bits may be strings. */
export type PostgresRow = Readonly<Record<string, unknown>>;

/** A connection that was taken from a pool. */
export interface PostgresConnection {
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** @param destroy - closes the connection rather than give it back. */
  release(destroy?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** The host's own pool, by shape: a `Pool` of `pg` fits. */
export interface PostgresPool {
  connect(): Promise<PostgresConnection>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}
