/** What a log line tells of an error: its type, message, stack and causes, and never a value of SQL. */

/** An error as a log field. */
export type ErrorFields = {
  type: string;
  message: string;
  stack?: string | undefined;
  /** The code of a system or database error, such as ECONNREFUSED or 23505. */
  code?: string | number;
  cause?: ErrorFields;
};

/** A chain of causes is cut here. */
const LONGEST_CHAIN = 5;
/** SQLSTATE: five digits and upper-case letters; the digit tells it from EPIPE (ISO/IEC 9075). */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/u;

/**
 * Keeps type, message, stack, code and the chain of causes. Other properties may be a request or its metadata and stay
 * away; so does the message of a database error, where statements and key values stand.
 */
export function describeError(error: unknown): ErrorFields {
  return describe(error, 1);
}

function describe(error: unknown, depth: number): ErrorFields {
  if (!(error instanceof Error))
    return { type: typeof error, message: 'something other than an Error was thrown' };
  const code = codeOf(error);
  const database = typeof code === 'string' && SQLSTATE.test(code);
  const message = database ? `SQLSTATE ${code}` : error.message;
  return {
    type: error.name,
    message,
    stack: database ? framesOf(error) : error.stack,
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined || depth >= LONGEST_CHAIN
      ? {}
      : { cause: describe(error.cause, depth + 1) }),
  };
}

function codeOf(error: Error): string | number | undefined {
  if (!('code' in error)) return undefined;
  return typeof error.code === 'string' || typeof error.code === 'number' ? error.code : undefined;
}

/** The stack without its first lines, which repeat the message. */
function framesOf({ stack = '' }: Error): string | undefined {
  const start = stack.search(/^ {4}at /mu);
  return start < 0 ? undefined : stack.slice(start);
}
