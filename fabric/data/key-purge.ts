/** Forgets idempotency keys once nobody may repeat their requests any more. */
import { inBackground } from '../process/background.ts';
import type { Background } from '../process/background.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Database } from './database.ts';

/** A key stands for its first request this long; draft-ietf-httpapi-idempotency-key-header, 2.3, leaves it to the server. */
const KEPT = `interval '24 hours'`;
/** Keys that one statement deletes at most: it holds no lock for long. */
const BATCH = 1_000;
/** Statements of one round at most. */
const BATCHES = 100;
/** Between two rounds, in ms. */
const PURGE_EVERY = 60_000;

/** Purges the keys of a database about once a minute. */
export function startKeyPurge(database: Database, log: Logger): Background {
  return inBackground({ name: 'purge of idempotency keys', pause: PURGE_EVERY, log }, async (signal) => {
    let purged = 0;
    for (let batch = 0; batch < BATCHES && !signal.aborted; batch += 1) {
      const keys = await purgeKeys(database, BATCH);
      purged += keys;
      if (keys < BATCH) break;
    }
    if (purged > 0)
      log.info({ event: 'idempotency_keys_purged', keys: purged }, 'old idempotency keys purged');
  });
}

/** Deletes keys older than 24 h by the database's clock, the oldest first, and tells how many; others' purges are not waited for. */
export async function purgeKeys(database: Database, limit: number): Promise<number> {
  const purged = await database.em().execute<unknown[]>(
    `with old as (
       select caller, method, key from idempotency_key where create_time < now() - ${KEPT}
       order by create_time limit ? for update skip locked
     )
     delete from idempotency_key as purged using old
     where purged.caller = old.caller and purged.method = old.method and purged.key = old.key
     returning 1`,
    [limit],
  );
  return purged.length;
}
