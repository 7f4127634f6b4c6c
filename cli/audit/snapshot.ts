/** A database as it stood at one moment: one transaction that sees nothing new and writes nothing. */
import pg from 'pg';
import { CommandError } from '../command-error.ts';

/** In ms. */
const TIMEOUTS = { connectionTimeoutMillis: 5_000, statement_timeout: 60_000, query_timeout: 65_000 };

/** The moment is that of `begin`; disposing of it ends the transaction. Its failures are CommandErrors. */
export class Snapshot {
  readonly #name: string;
  readonly #client: pg.Client;

  /** `name` is for error messages. */
  constructor(name: string, url: string) {
    this.#name = name;
    this.#client = new pg.Client({ connectionString: url, application_name: 'mercer audit', ...TIMEOUTS });
    // A lost connection fails the next statement, which says so.
    this.#client.on('error', () => undefined);
  }

  async connect(): Promise<void> {
    try {
      await this.#client.connect();
    } catch (cause) {
      throw new CommandError(`the ${this.#name} database does not answer (${why(cause)})`, { cause });
    }
  }

  /** PostgreSQL takes the snapshot at the first statement after this one, its clock now() at this one. */
  async begin(): Promise<void> {
    await this.rows('begin transaction isolation level repeatable read read only');
    await this.rows('select');
  }

  async rows<R extends pg.QueryResultRow>(statement: string): Promise<R[]> {
    try {
      return (await this.#client.query<R>(statement)).rows;
    } catch (cause) {
      throw new CommandError(`the ${this.#name} database cannot be audited (${why(cause)})`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

/** SQL for the age of a time in ms by the database's clock, as a number. */
export function ageOf(time: string): string {
  return `(extract(epoch from now() - ${time}) * 1000)::float8`;
}

/** The database's own words hold no values of rows. */
function why(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
