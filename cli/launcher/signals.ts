/** Tells the first request to stop from the second. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** npm passes on the Ctrl-C that the terminal has sent to everybody: two signals this close, in ms, are one. */
const SAME_KEYSTROKE = 250;

/** Calls `first` at the first SIGINT, SIGTERM or SIGHUP, and `second` at the next that is not its echo. */
export function onStopSignals(first: () => void, second: () => void): void {
  let asked: number | undefined;
  const hear = (): void => {
    if (asked === undefined) {
      asked = Date.now();
      first();
    } else if (Date.now() - asked > SAME_KEYSTROKE) second();
  };
  for (const signal of SIGNALS) process.on(signal, hear);
}
