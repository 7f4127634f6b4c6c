/** The user in whose name a call is made, as a verified token tells. */

/** A user. */
export type Principal = {
  /** The identity provider that vouches for the user (`iss`). */
  issuer: string;
  /** The user's name at the issuer (`sub`). */
  subject: string;
  /** From the configured roles claim; "ADMIN", "CUSTOMER". */
  roles: readonly string[];
  /** From `scp` (Okta) or `scope` (RFC 8693). */
  scopes: readonly string[];
  /** When the token ends (`exp`). */
  expiresAt: Date;
  /** The application that obtained the token (`cid` at Okta, `client_id` in RFC 9068). */
  clientId?: string;
};
