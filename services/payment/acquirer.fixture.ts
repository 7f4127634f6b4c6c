/** A small acquirer on a port of its own, with a ledger and every way to fail that a network has. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { after } from 'node:test';

/** What the acquirer did. */
export type LedgerEntry = {
  kind: 'capture' | 'refund' | 'void';
  id: string;
  key: string;
  amount: string;
  orderId: string;
};

/** An acquirer under a test's control. */
export type TestAcquirer = {
  url: string;
  ledger: LedgerEntry[];
  /** Every request that arrived. */
  requests: { method: string; path: string; headers: IncomingMessage['headers'] }[];
  /** The next requests fail so, one each. */
  faults: Fault[];
  /** Approves a charge that was left open; nothing when it is not open any more. */
  approve: (orderId: string) => void;
};

/** Answers 503, drops the connection, does the work and then drops the connection, or nothing of it. */
export type Fault = 'none' | 'unavailable' | 'reset' | 'reset_after_work' | 'no_answer_after_work';

type Charge = {
  id: string;
  status: string;
  declineReason?: string;
  cardBrand: string;
  cardLast4: string;
  amount: string;
  orderId: string;
};

const OUTCOMES: Record<string, Omit<Charge, 'id' | 'amount' | 'orderId'>> = {
  tok_visa: { status: 'succeeded', cardBrand: 'visa', cardLast4: '4242' },
  tok_declined: { status: 'declined', declineReason: 'card_declined', cardBrand: 'visa', cardLast4: '0002' },
  tok_async: { status: 'pending', cardBrand: 'visa', cardLast4: '4242' },
  tok_review: { status: 'under_review', cardBrand: 'visa', cardLast4: '4242' },
};

/** Starts an acquirer; it stops when the file's tests are over. */
export async function startTestAcquirer(): Promise<TestAcquirer> {
  const charges = new Map<string, Charge>();
  const ledger: LedgerEntry[] = [];
  const approve = (orderId: string): void => {
    const charge = charges.get(`charge-${orderId}`);
    if (charge !== undefined && isOpen(charge)) decide(ledger, charge, 'capture');
  };
  const acquirer: TestAcquirer = { url: '', ledger, requests: [], faults: [], approve };
  const server = createServer((request, response) => void serve(acquirer, charges, { request, response }));
  after(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(acquirer, { url: `http://127.0.0.1:${address.port}` });
}

async function serve(
  acquirer: TestAcquirer,
  charges: Map<string, Charge>,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://acquirer');
  acquirer.requests.push({ method: request.method ?? '', path: url.pathname, headers: request.headers });
  const fault = acquirer.faults.shift();
  if (fault === 'reset') return void request.socket.resetAndDestroy();
  if (fault === 'unavailable') return send(response, 503, { code: 'unavailable' });
  const { code, body } = work(acquirer, charges, { request, url, body: await text(request) });
  if (fault === 'reset_after_work') return void request.socket.resetAndDestroy();
  if (fault !== 'no_answer_after_work') send(response, code, body);
}

function work(
  acquirer: TestAcquirer,
  charges: Map<string, Charge>,
  { request, url, body }: { request: IncomingMessage; url: URL; body: string },
): { code: number; body: object } {
  if (request.method === 'GET') {
    const found = charges.get(url.searchParams.get('key') ?? '');
    return found === undefined ? { code: 404, body: { code: 'not_found' } } : { code: 200, body: found };
  }
  const voided = [...charges.values()].find(({ id }) => url.pathname === `/v1/charges/${id}/void`);
  if (voided !== undefined) {
    if (isOpen(voided)) decide(acquirer.ledger, voided, 'void');
    return voided.status === 'voided'
      ? { code: 200, body: voided }
      : { code: 422, body: { code: 'charge_not_voidable' } };
  }
  const key = String(request.headers['idempotency-key']);
  const { amount = '', token, chargeId, ...rest } = JSON.parse(body) as Record<string, string>;
  const known = charges.get(key);
  if (known !== undefined) return { code: 200, body: known };
  const kind = url.pathname === '/v1/refunds' ? 'refund' : 'capture';
  const outcome =
    kind === 'refund' ? { status: 'succeeded', cardBrand: '', cardLast4: '' } : OUTCOMES[token ?? ''];
  if (outcome === undefined) return { code: 400, body: { code: 'token_unknown' } };
  const charged = acquirer.ledger.find((entry) => entry.id === chargeId);
  const orderId = rest['orderId'] ?? charged?.orderId ?? '';
  const charge = { id: `ch_${charges.size + 1}`, ...outcome, amount, orderId };
  charges.set(key, charge);
  if (outcome.status === 'succeeded') acquirer.ledger.push({ kind, id: charge.id, key, amount, orderId });
  return { code: 200, body: charge };
}

function isOpen({ status }: Charge): boolean {
  return status === 'pending' || status === 'under_review';
}

function decide(ledger: LedgerEntry[], charge: Charge, kind: 'capture' | 'void'): void {
  charge.status = kind === 'void' ? 'voided' : 'succeeded';
  const { id, orderId } = charge;
  const amount = kind === 'void' ? '0' : charge.amount;
  ledger.push({ kind, id, key: `charge-${orderId}`, amount, orderId });
}

function send(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
