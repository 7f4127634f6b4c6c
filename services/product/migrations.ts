/** The schema of the product database; CHECK constraints are the last line of defence of every stock rule. */
import { Migration } from '@mikro-orm/migrations';
import { IDEMPOTENCY_KEY_AGE, IDEMPOTENCY_TABLE } from '#fabric/data/idempotency.ts';

/** Notified by every transaction that changes a product or its stock. */
export const CHANGES_CHANNEL = 'product_changed';

class CreateCatalogue extends Migration {
  override up(): void {
    this.addSql(`create table product (
      product_id text primary key check (product_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
      sku text not null,
      display_name text collate "pg_c_utf8" not null check (display_name <> ''),
      description text not null,
      category text not null,
      image_uri text not null,
      currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
      price_minor bigint not null check (price_minor between 1 and 1000000000000),
      state text not null check (state in ('ACTIVE', 'ARCHIVED')),
      attributes jsonb not null,
      revision bigint not null default 1 check (revision > 0),
      create_time timestamptz(3) not null default now(),
      update_time timestamptz(3) not null default now(),
      search_text text collate "pg_c_utf8" not null
        generated always as (display_name || ' ' || description || ' ' || category) stored
    )`);
    this.addSql(`create index product_by_price on product (price_minor, product_id) where state = 'ACTIVE'`);
    this.addSql(
      `create index product_by_name on product (lower(display_name), product_id) where state = 'ACTIVE'`,
    );
    this.addSql(`create index product_by_time on product (create_time, product_id) where state = 'ACTIVE'`);
    this.addSql(`create index product_by_category on product (category) where state = 'ACTIVE'`);
  }
}

class CreateStock extends Migration {
  override up(): void {
    // Rows leave room (fillfactor), so that the hot updates of a sale stay on their page and touch no index.
    this.addSql(`create table stock (
      product_id text primary key references product,
      available integer not null default 0 check (available >= 0),
      reserved integer not null default 0 check (reserved >= 0),
      sold bigint not null default 0 check (sold >= 0),
      delivered bigint not null default 0,
      check (available + reserved + sold = delivered)
    ) with (fillfactor = 70)`);
    this.addSql(`create table stock_ledger (
      entry_id bigint generated always as identity primary key,
      product_id text not null,
      order_id uuid,
      kind text not null,
      available integer not null,
      reserved integer not null,
      sold integer not null,
      reason text not null default '',
      create_time timestamptz(3) not null default now(),
      check (kind in ('DELIVER', 'RESERVE', 'EXPIRE', 'RELEASE', 'COMMIT', 'RECOMMIT', 'RETURN')),
      check (kind = 'DELIVER' or (order_id is not null and available + reserved + sold = 0))
    )`);
  }
}

class CreateReservations extends Migration {
  override up(): void {
    // BARRED: released before it was reserved, so that a late reservation of the order finds no stock.
    this.addSql(`create table reservation (
      order_id uuid primary key,
      state text not null check (state in ('HELD', 'COMMITTED', 'RELEASED', 'BARRED')),
      create_time timestamptz(3) not null default now()
    )`);
    // held: the units count as reserved. A line loses them when it ran out and another order needed them.
    this.addSql(`create table reservation_line (
      order_id uuid not null references reservation,
      product_id text not null,
      quantity integer not null check (quantity between 1 and 1000),
      display_name text not null,
      currency_code text not null,
      unit_price bigint not null check (unit_price > 0),
      expire_time timestamptz(3) not null,
      held boolean not null,
      primary key (order_id, product_id)
    )`);
    this.addSql(
      `create index reservation_line_held on reservation_line (product_id, expire_time) where held`,
    );
    // Reservations count as free the moment they run out, whether or not their rows were touched since.
    this.addSql(`create view catalogue as
      select product.*, lower(display_name) as sort_name, stock.available + coalesce((
        select sum(line.quantity) from reservation_line as line
        where line.product_id = product.product_id and line.held and line.expire_time <= statement_timestamp()
      ), 0)::integer as stock_available
      from product join stock using (product_id)`);
  }
}

class GrantToApp extends Migration {
  override up(): void {
    this.addSql(`do $$
      declare app name := current_database() || '_app';
      begin
        execute format('grant select, insert, update on product, stock, reservation_line to %I', app);
        execute format('grant select, insert, update, delete on reservation to %I', app);
        execute format('grant select, insert on stock_ledger to %I', app);
        execute format('grant select on catalogue to %I', app);
      end $$`);
  }
}

class CreateIdempotencyKeys extends Migration {
  override up(): void {
    for (const statement of [...IDEMPOTENCY_TABLE, IDEMPOTENCY_KEY_AGE]) this.addSql(statement);
    this.addSql(`do $$ begin
      execute format('grant select, insert, update, delete on idempotency_key to %I', current_database() || '_app');
    end $$`);
  }
}

class TellChanges extends Migration {
  override up(): void {
    // The transaction that wrote a row says which snapshots see it; a serial number would not, since a later
    // one can be committed first. Rows from before have none: nobody watched them.
    this.addSql('alter table product add column changed_by xid8');
    this.addSql('alter table product alter column changed_by set default pg_current_xact_id()');
    this.addSql('create index product_changed on product (changed_by)');
    this.addSql('alter table stock_ledger add column written_by xid8');
    this.addSql('alter table stock_ledger alter column written_by set default pg_current_xact_id()');
    this.addSql('create index stock_ledger_written on stock_ledger (written_by)');
    this.addSql(`create function tell_change() returns trigger language plpgsql as $$ begin
      perform pg_notify('${CHANGES_CHANNEL}', '');
      return null;
    end $$`);
    this.addSql(`create trigger tell_change after insert or update on product
      for each statement execute function tell_change()`);
    this.addSql(`create trigger tell_change after insert on stock_ledger
      for each statement execute function tell_change()`);
  }
}

/** In order; a name once released never changes. The app role is named for the database: product_app. */
export const migrations = [
  { name: '0001-catalogue', class: CreateCatalogue },
  { name: '0002-stock', class: CreateStock },
  { name: '0003-reservations', class: CreateReservations },
  { name: '0004-grants', class: GrantToApp },
  { name: '0005-idempotency-keys', class: CreateIdempotencyKeys },
  { name: '0006-changes', class: TellChanges },
];
