/** What the `mercer` command answers to the shell. */

/** Done. */
export const OK = 0;
/** Failed, or no fabric runs. */
export const FAILED = 1;
/** A word, option or argument that does not exist or cannot be. */
export const USAGE = 2;
/** A process refused its settings; repeating the command does not help (EX_CONFIG of sysexits.h). */
export const CONFIG = 78;
/** Stopped by Ctrl-C before the fabric was ready (128 + SIGINT). */
export const INTERRUPTED = 130;

/** The lines about exit codes at the end of every help text. */
export const EXIT_CODES_HELP = `
Exit codes: ${OK} done, ${FAILED} failed or no fabric runs, ${USAGE} wrong usage, ${CONFIG} settings refused, ${INTERRUPTED} interrupted.`;
