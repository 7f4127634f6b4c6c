/** The schema of the order database; CHECK constraints are the last line of defence of every rule on money and states. */
import { Migration } from '@mikro-orm/migrations';
import { IDEMPOTENCY_KEY_AGE, IDEMPOTENCY_TABLE } from '#fabric/data/idempotency.ts';

class CreateOrders extends Migration {
  override up(): void {
    // ending_*: where the order is being undone to, written before the first undo; see domain.ts.
    this.addSql(`create table orders (
      order_id uuid primary key,
      customer_id text not null,
      state text not null default 'PENDING'
        check (state in ('PENDING', 'CONFIRMED', 'FAILED', 'CANCELLED', 'REFUNDED')),
      currency_code text check (currency_code ~ '^[A-Z]{3}$'),
      total bigint check (total between 1 and 1000000000000000),
      amount_refunded bigint not null default 0,
      payment_id text not null default '',
      ending_state text check (ending_state in ('FAILED', 'CANCELLED')),
      ending_reason text not null default '',
      ending_message text not null default '',
      ending_metadata jsonb not null default '{}',
      create_time timestamptz(3) not null default now(),
      update_time timestamptz(3) not null default now(),
      revision integer not null default 1 check (revision > 0),
      fence integer not null default 1 check (fence > 0),
      lease_until timestamptz not null,
      check ((currency_code is null) = (total is null)),
      check (amount_refunded between 0 and coalesce(total, 0)),
      check ((ending_state is null) = (ending_reason = '')),
      check (state not in ('CONFIRMED', 'REFUNDED') or (total is not null and payment_id <> '')),
      check (state not in ('FAILED', 'CANCELLED') or state is not distinct from ending_state),
      check (state <> 'REFUNDED' or amount_refunded = total)
    ) with (fillfactor = 70)`);
    this.addSql('create index orders_of_customer on orders (customer_id, create_time desc, order_id desc)');
    this.addSql('create index orders_by_time on orders (create_time desc, order_id desc)');
  }
}

class CreateLines extends Migration {
  override up(): void {
    this.addSql(`create table order_line (
      order_id uuid not null references orders,
      position integer not null check (position between 1 and 100),
      product_id text not null,
      quantity integer not null check (quantity between 1 and 1000),
      display_name text not null default '',
      unit_price bigint check (unit_price between 1 and 1000000000000),
      primary key (order_id, position),
      unique (order_id, product_id)
    )`);
  }
}

class CreateHistory extends Migration {
  override up(): void {
    this.addSql(`create table order_history (
      order_id uuid not null references orders,
      sequence integer not null check (sequence > 0),
      state text not null check (state in ('PENDING', 'CONFIRMED', 'FAILED', 'CANCELLED', 'REFUNDED')),
      time timestamptz(3) not null,
      note text not null default '',
      primary key (order_id, sequence),
      check ((sequence = 1) = (state = 'PENDING'))
    )`);
  }
}

class CreateIdempotencyKeys extends Migration {
  override up(): void {
    for (const statement of IDEMPOTENCY_TABLE) this.addSql(statement);
  }
}

class GrantToApp extends Migration {
  override up(): void {
    this.addSql(`do $$
      declare app name := current_database() || '_app';
      begin
        execute format('grant select, insert, update on orders, order_line to %I', app);
        execute format('grant select, insert on order_history to %I', app);
        execute format('grant select, insert, update, delete on idempotency_key to %I', app);
      end $$`);
  }
}

class ScheduleRecovery extends Migration {
  override up(): void {
    // When recovery looks at an unfinished order, and how often it did; see store.ts.
    this.addSql(`alter table orders
      add column attempts integer not null default 0 check (attempts >= 0),
      add column next_attempt_at timestamptz not null default now()`);
    this.addSql(`create index orders_unfinished on orders (next_attempt_at)
      where state = 'PENDING' or state <> ending_state`);
    this.addSql(IDEMPOTENCY_KEY_AGE);
  }
}

class CreateRefunds extends Migration {
  override up(): void {
    // Refunds under way, without an amount all that is left; see refund-store.ts.
    this.addSql(`create table order_refund (
      order_id uuid not null references orders,
      request_id text not null,
      currency_code text,
      amount bigint check (amount > 0),
      reason text not null default '',
      next_attempt_at timestamptz not null,
      primary key (order_id, request_id),
      check ((currency_code is null) = (amount is null))
    )`);
    this.addSql('create index order_refund_due on order_refund (next_attempt_at)');
    this.addSql(`do $$
      begin
        execute format('grant select, insert, update, delete on order_refund to %I', current_database() || '_app');
      end $$`);
  }
}

/** In order; a name once released never changes. The app role is named for the database: order_app. */
export const migrations = [
  { name: '0001-orders', class: CreateOrders },
  { name: '0002-lines', class: CreateLines },
  { name: '0003-history', class: CreateHistory },
  { name: '0004-idempotency-keys', class: CreateIdempotencyKeys },
  { name: '0005-grants', class: GrantToApp },
  { name: '0006-recovery', class: ScheduleRecovery },
  { name: '0007-refunds', class: CreateRefunds },
];
