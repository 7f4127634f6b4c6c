/** Judges who may call a method by its `access` option; deny by default. */
import type { Principal } from '../identity/principal.ts';

/** One rule of mercer.access.v1.access: all its conditions hold together. */
export type AccessRule = {
  anyone: boolean;
  roles: string[];
  callers: string[];
  owner: string;
  signature: boolean;
};

/** Who calls: the workload by its certificate, and the user by the token it brought. */
export type Who = { caller?: string | undefined; user?: Principal | undefined };

/** What the rules say; `unauthenticated` when a token could change the answer. */
export type Verdict = 'admit' | 'unauthenticated' | 'denied';

/**
 * Any one rule admits; no rule, or an empty one, admits nobody. `owner` is not judged here: the handler
 * compares it after loading. Callers "self" stands for any svc/*, which the handler compares with the
 * service that the request names.
 */
export function judge(rules: readonly AccessRule[], who: Who): Verdict {
  if (rules.some((rule) => admits(rule, who))) return 'admit';
  if (who.user !== undefined) return 'denied';
  // A method without rules says 401 to a stranger too: what exists is told to nobody without a token.
  return rules.length === 0 || rules.some((rule) => tokenWouldHelp(rule, who)) ? 'unauthenticated' : 'denied';
}

function admits(rule: AccessRule, who: Who): boolean {
  if (rule.anyone || rule.signature) return true;
  if (rule.roles.length === 0 && rule.callers.length === 0) return false;
  return callerMatches(rule, who.caller) && roleMatches(rule, who.user);
}

function callerMatches(rule: AccessRule, caller: string | undefined): boolean {
  if (rule.callers.length === 0) return true;
  return caller !== undefined && rule.callers.some((allowed) => matches(allowed, caller));
}

function matches(allowed: string, caller: string): boolean {
  if (allowed === 'self' || allowed === 'svc/*') return caller.startsWith('svc/');
  return allowed === caller;
}

function roleMatches(rule: AccessRule, user: Principal | undefined): boolean {
  if (rule.roles.length === 0) return true;
  return user !== undefined && rule.roles.some((role) => user.roles.includes(role));
}

function tokenWouldHelp(rule: AccessRule, who: Who): boolean {
  return rule.roles.length > 0 && callerMatches(rule, who.caller);
}
