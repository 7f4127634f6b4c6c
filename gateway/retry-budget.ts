/** Bounds how many calls may be sent again, so that retries never become the load that keeps a service down. */

/** Tells whether one more retry is within bounds. */
export type RetryBudget = {
  /** Counts a call, which earns a part of a retry. */
  earn: () => void;
  /** Spends one retry; false when there is none. */
  spend: () => boolean;
};

/** Retries in percent of calls; percents are whole, so that their sum is exact. */
const PERCENT = 10;
/** The most retries that are saved up; a gateway begins with them, so that a quiet one can retry too. */
const MOST_SAVED = 10;
const RETRY = 100;

/** A token bucket (as gRFC A6 throttles retries): ten percent of calls, and ten saved from the start. */
export function retryBudget(): RetryBudget {
  let saved = MOST_SAVED * RETRY;
  return {
    earn: () => {
      saved = Math.min(MOST_SAVED * RETRY, saved + PERCENT);
    },
    spend: () => {
      if (saved < RETRY) return false;
      saved -= RETRY;
      return true;
    },
  };
}
