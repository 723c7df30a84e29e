import type { SqliteDatabase } from './driver.js';

/** What is wrong with a journal's file, at most some twenty findings; empty when it is sound. */
export function findDamage(database: SqliteDatabase): readonly string[] {
  const pages = database.prepare('PRAGMA integrity_check(20)').all();
  const problems = pages.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok');
  const bodies = Number(database.prepare('SELECT count(*) AS n FROM record WHERE NOT json_valid(body)').get()?.n);
  const strays = Number(database.prepare('SELECT count(*) AS n FROM record WHERE intent NOT IN (SELECT id FROM intent)').get()?.n);
  if (bodies > 0) problems.push(`${bodies} records have a body that is no JSON`);
  if (strays > 0) problems.push(`${strays} records belong to no intent`);
  return problems;
}
