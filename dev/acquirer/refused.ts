/** Why the acquirer does not do what it is asked. */

/** Stays the same for ever; clients branch on it. */
export type Refusal =
  | 'token_unknown'
  | 'unavailable'
  | 'key_reused'
  | 'charge_unknown'
  | 'refund_exceeds_capture'
  | 'charge_not_voidable';

/** Thrown instead of an outcome; nothing happened. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly why: Refusal;

  constructor(why: Refusal) {
    super(why);
    this.why = why;
  }
}
