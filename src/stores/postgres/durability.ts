import type { Bus } from '../../contracts/events.js';
import type { Logger } from '../../core/logger.js';
import type { PostgresDatabase } from './database.js';

/** Settings with which a commit may be lost, and what the journal does about each. */
const RISKS = {
  synchronous_commit: 'a commit is answered before it is on the disk; the order journal turns it on for its own commits',
  fsync: 'a crash of the machine may lose or damage the whole database; turn it on',
  full_page_writes: 'a crash of the machine may damage the whole database; turn it on',
} as const;

/** Says once, in log and event, which settings of the server make less durable what it has acknowledged. */
export async function warnOfWeakDurability(database: PostgresDatabase, bus: Bus | undefined, logger: Logger): Promise<void> {
  const names = Object.keys(RISKS) as (keyof typeof RISKS)[];
  const rows = await database.query('read its settings', 'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name', [names]);
  for (const { name, value } of rows) {
    if (value !== 'off') continue;
    const setting = name as keyof typeof RISKS;
    logger.warn({ setting, value }, `PostgreSQL runs with ${setting} = off: ${RISKS[setting]}`);
    if (bus?.has('journal.durability') === true) bus.emit('journal.durability', { setting, value: 'off', effect: RISKS[setting] });
  }
}
