/** A service on a port of its own, called over mutual TLS by a workload for a user. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { pino } from 'pino';
import { openAuthority } from '../identity/pki.ts';
import type { TokenVerifier } from '../identity/token-verifier.ts';
import { readWorkloadCredentials } from '../identity/workload.ts';
import { runInCall } from './call-context.ts';
import { openChannel } from './channel.ts';
import type { Channel } from './channel.ts';
import type { ServiceRegistration } from './implement.ts';
import { startServer } from './server.ts';
import { createMetrics } from '../telemetry/metrics.ts';

/** Tokens are ROLE/SUBJECT here; what makes a token good is tested where tokens are verified. */
const verifier: TokenVerifier = {
  verify: (token) => {
    const [role = '', subject = ''] = token.split('/');
    return { issuer: 'test', subject, roles: [role], scopes: [], expiresAt: new Date() };
  },
};

/** Who serves and who calls: "order" and "svc/gateway". */
type Ends = { name: string; caller: string };

/** Serves as svc/NAME until the file's tests are over, and opens a channel to it as `caller`. */
export async function serve(registration: ServiceRegistration, { name, caller }: Ends): Promise<Channel> {
  const directory = await mkdtemp(join(tmpdir(), `mercer-${name}-`));
  const authority = await openAuthority(join(directory, 'ca'));
  const issue = async (identity: string) =>
    readWorkloadCredentials(await authority.issue(identity, { dir: directory }));
  const server = await startServer({
    bind: '127.0.0.1:0',
    credentials: await issue(`svc/${name}`),
    verifier,
    registrations: [registration],
    log: pino({ level: 'silent' }),
    metrics: createMetrics(name).rpc,
  });
  const target = `127.0.0.1:${server.port}`;
  const channel = openChannel({ target, authority: name, credentials: await issue(caller) });
  after(async () => {
    channel.close();
    await server.drain(1_000);
    await rm(directory, { recursive: true, force: true });
  });
  return channel;
}

/** Makes calls that carry a user's token, such as `ADMIN/alice`. */
export function as<T>(token: string, work: () => Promise<T>): Promise<T> {
  const user = verifier.verify(token);
  if (user instanceof Promise) throw new Error('the test verifier answers at once');
  const deadline = new Date(Date.now() + 10_000);
  const { signal } = new AbortController();
  const call = { method: '', caller: undefined, user, token, requestId: 'test', deadline, signal };
  return runInCall(call, work);
}
