/** The claims of an access token as a custom authorization server of Okta writes them. */
import { createHash } from 'node:crypto';

/** Of whom, for whom and how long. */
export type Grant = {
  iss: string;
  aud: string;
  sub: string;
  jti: string;
  /** Seconds since the epoch, as is `exp`. */
  iat: number;
  exp: number;
  /** The client that asked. */
  client: string;
  scopes: readonly string[];
  groups: readonly string[];
};

/** `uid` is the user's own id, which Okta leaves out of tokens that a client asked for itself. */
export function oktaClaims({ client, scopes, groups, ...registered }: Grant): Record<string, unknown> {
  const { sub } = registered;
  return {
    ver: 1,
    ...registered,
    cid: client,
    ...(sub === client ? {} : { uid: `00u${createHash('sha256').update(sub).digest('hex').slice(0, 17)}` }),
    scp: scopes,
    groups,
  };
}
