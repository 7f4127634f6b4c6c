/** The schema of the payment database; CHECK constraints are the last line of defence of every money rule. */
import { Migration } from '@mikro-orm/migrations';

class CreatePayments extends Migration {
  override up(): void {
    // charge_until: no request to charge leaves for the acquirer after it, so that an order whose charge the
    // acquirer does not know by then can be barred. token_digest tells a repetition, and is no token.
    this.addSql(`create table payment (
      payment_id uuid primary key,
      order_id uuid not null unique,
      customer_id text not null,
      currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
      amount_minor bigint not null,
      refund_claimed_minor bigint not null default 0,
      refunded_minor bigint not null default 0,
      token_digest text not null,
      state text not null check (state in ('PENDING', 'UNDER_REVIEW', 'SUCCEEDED', 'DECLINED', 'BARRED')),
      transaction_id text not null default '',
      card_brand text not null default '',
      card_last4 text not null default '' check (card_last4 ~ '^[0-9]{0,4}$'),
      failure_reason text not null default '',
      charge_until timestamptz(3) not null,
      create_time timestamptz(3) not null default now(),
      update_time timestamptz(3) not null default now(),
      check (amount_minor > 0 or state = 'BARRED'),
      check (0 <= refunded_minor and refunded_minor <= refund_claimed_minor),
      check (refund_claimed_minor <= case when state = 'SUCCEEDED' then amount_minor else 0 end)
    )`);
    this.addSql('create index payment_by_customer on payment (customer_id, payment_id)');
  }
}

class CreateRefunds extends Migration {
  override up(): void {
    this.addSql(`create table refund (
      refund_id uuid primary key,
      payment_id uuid not null references payment,
      request_id text not null,
      amount_minor bigint not null check (amount_minor > 0),
      reason text not null,
      state text not null check (state in ('PENDING', 'SUCCEEDED')),
      create_time timestamptz(3) not null default now(),
      unique (payment_id, request_id)
    )`);
  }
}

class CreateLedger extends Migration {
  override up(): void {
    this.addSql(`create table payment_ledger (
      entry_id bigint generated always as identity primary key,
      payment_id uuid not null,
      order_id uuid not null,
      kind text not null check (kind in ('CAPTURE', 'REFUND')),
      refund_id uuid,
      currency_code text not null,
      amount_minor bigint not null check (amount_minor > 0),
      create_time timestamptz(3) not null default now(),
      check ((kind = 'REFUND') = (refund_id is not null))
    )`);
    this.addSql(`create unique index one_capture on payment_ledger (payment_id) where kind = 'CAPTURE'`);
    this.addSql(`create unique index one_entry_per_refund on payment_ledger (refund_id)`);
  }
}

class GrantToApp extends Migration {
  override up(): void {
    // A charge that the acquirer refused to begin leaves no row: hence delete on payment.
    this.addSql(`do $$
      declare app name := current_database() || '_app';
      begin
        execute format('grant select, insert, update, delete on payment to %I', app);
        execute format('grant select, insert, update on refund to %I', app);
        execute format('grant select, insert on payment_ledger to %I', app);
      end $$`);
  }
}

class Recover extends Migration {
  override up(): void {
    // recover_at: when to look at a payment that is unfinished; null for one that is not. recoveries counts the
    // looks since something last happened to it.
    this.addSql(`alter table payment
      add column undone boolean not null default false,
      add column recover_at timestamptz(3),
      add column recoveries integer not null default 0,
      add check (not undone or state <> 'SUCCEEDED' or refund_claimed_minor = amount_minor)`);
    this.addSql(`update payment set recover_at = now()
      where state in ('PENDING', 'UNDER_REVIEW') or refund_claimed_minor <> refunded_minor`);
    this.addSql('create index payment_to_recover on payment (recover_at) where recover_at is not null');
  }
}

class CreateAcquirerEvents extends Migration {
  override up(): void {
    this.addSql(`create table acquirer_event (
      event_id text primary key,
      receive_time timestamptz(3) not null default now()
    )`);
    this.addSql('create index acquirer_event_by_time on acquirer_event (receive_time)');
    this.addSql(`do $$
      begin
        execute format('grant select, insert, delete on acquirer_event to %I', current_database() || '_app');
      end $$`);
  }
}

/** In order; a name once released never changes. The app role is named for the database: payment_app. */
export const migrations = [
  { name: '0001-payments', class: CreatePayments },
  { name: '0002-refunds', class: CreateRefunds },
  { name: '0003-ledger', class: CreateLedger },
  { name: '0004-grants', class: GrantToApp },
  { name: '0005-recovery', class: Recover },
  { name: '0006-acquirer-events', class: CreateAcquirerEvents },
];
