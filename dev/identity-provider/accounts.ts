/** The users who are ready to log in, without a password. */

/** A user. */
export type Account = { subject: string; name: string; email: string; groups: readonly string[] };

/** One of each role. */
export const ACCOUNTS: readonly Account[] = [
  { subject: 'admin', name: 'Ada, who runs the shop', email: 'admin@example.test', groups: ['ADMIN'] },
  { subject: 'customer', name: 'Cora, who buys', email: 'customer@example.test', groups: ['CUSTOMER'] },
];

/** The user of a subject. */
export function accountOf(subject: string): Account | undefined {
  return ACCOUNTS.find((account) => account.subject === subject);
}
