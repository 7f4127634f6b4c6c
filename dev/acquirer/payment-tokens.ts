/** What each development payment token makes the acquirer do. */

/** Why a card was declined. */
export type DeclineReason = 'card_declined' | 'insufficient_funds' | 'expired_card';

/** The course of a charge. */
export type Course = {
  cardBrand: 'visa' | 'mastercard';
  cardLast4: string;
  /** How it ends, or stands until somebody voids it. */
  outcome: 'succeeded' | 'under_review' | DeclineReason;
  /** Milliseconds until it is decided. */
  delay: number;
  /** When the first request is answered: after the decision, before it, or never. */
  answer: 'decided' | 'at_once' | 'never';
  /** How often a key is answered 503, and nothing begun, before that. */
  outages: number;
};

const PLAIN: Course = {
  cardBrand: 'visa',
  cardLast4: '4242',
  outcome: 'succeeded',
  delay: 0,
  answer: 'decided',
  outages: 0,
};

const COURSES: ReadonlyMap<string, Course> = new Map(
  Object.entries({
    tok_visa: PLAIN,
    tok_mastercard: { ...PLAIN, cardBrand: 'mastercard', cardLast4: '4444' },
    tok_declined: { ...PLAIN, cardLast4: '0002', outcome: 'card_declined' },
    tok_insufficient_funds: { ...PLAIN, cardLast4: '9995', outcome: 'insufficient_funds' },
    tok_expired_card: { ...PLAIN, cardLast4: '0069', outcome: 'expired_card' },
    tok_slow: { ...PLAIN, delay: 3_000 },
    tok_timeout_after_capture: { ...PLAIN, answer: 'never' },
    tok_unavailable_twice: { ...PLAIN, outages: 2 },
    tok_review: { ...PLAIN, outcome: 'under_review' },
    tok_async: { ...PLAIN, delay: 2_000, answer: 'at_once' },
  } satisfies Record<string, Course>),
);

/** The course that a token stands for; undefined for a token that was never issued. */
export function courseOf(token: string): Course | undefined {
  return COURSES.get(token);
}
