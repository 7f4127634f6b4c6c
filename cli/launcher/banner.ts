/** What a newcomer reads when the fabric is ready: URLs, tokens, and lines to paste. */
import { randomUUID } from 'node:crypto';
import { paint } from '../terminal.ts';
import type { Endpoints } from './endpoints.ts';
import type { Tokens } from './ready-file.ts';

/** What the lines are made of. */
export type BannerFacts = {
  endpoints: Endpoints;
  tokens: Tokens | undefined;
  /** A developer's certificate and its key. */
  developer: { cert: string; key: string };
  /** A product that can be ordered; undefined with an empty catalogue. */
  productId: string | undefined;
  /** Seconds from the command to readiness; undefined when somebody else started the fabric. */
  seconds?: number;
};

/** Each line that can be pasted stands alone and unindented. */
export function banner(facts: BannerFacts): string {
  const ready = facts.seconds === undefined ? 'Ready' : `Ready after ${facts.seconds.toFixed(1)} s`;
  return [
    `\n${paint('green', ready)}`,
    places(facts.endpoints),
    ...tokenLines(facts),
    ...pasteLines(facts),
  ].join('\n\n');
}

function places({ gateway, zipkin, config, idp, logs }: Endpoints): string {
  const rows = [
    ['Shop (REST)', gateway],
    ['Traces', zipkin],
    ['Configuration', config],
    ['Sign-in (OpenID)', idp],
    ['Logs', logs],
  ];
  const present = rows.filter(([, place]) => place !== undefined);
  return present.map(([name = '', place = '']) => `  ${name.padEnd(18)}${paint('cyan', place)}`).join('\n');
}

function tokenLines({ tokens, endpoints }: BannerFacts): string[] {
  if (tokens !== undefined) {
    return [section('ADMIN token', tokens.admin), section('CUSTOMER token', tokens.customer)];
  }
  return endpoints.idp === undefined
    ? []
    : [`Tokens come from ${endpoints.idp}; their groups claim must hold ADMIN or CUSTOMER.`];
}

function pasteLines(facts: BannerFacts): string[] {
  const { gateway, product } = facts.endpoints;
  const [target] = product;
  return [
    ...(gateway === undefined
      ? []
      : [section('List products', `curl -s '${gateway}/v1/products?pageSize=5'`)]),
    ...orderLine(facts),
    ...(target === undefined ? [] : grpcurlLines(facts, target)),
  ];
}

function orderLine({ endpoints, tokens, productId }: BannerFacts): string[] {
  if (endpoints.gateway === undefined || tokens === undefined || productId === undefined) return [];
  const body = JSON.stringify({ lines: [{ productId, quantity: 1 }], paymentToken: 'tok_visa' });
  const headers = [
    `authorization: Bearer ${tokens.customer}`,
    'content-type: application/json',
    `idempotency-key: ${randomUUID()}`,
  ];
  const options = headers.map((header) => `-H '${header}'`).join(' ');
  return [section('Place an order', `curl -s '${endpoints.gateway}/v1/orders' ${options} -d '${body}'`)];
}

function grpcurlLines({ endpoints, developer }: BannerFacts, target: string): string[] {
  const identity = `-cacert ${quote(endpoints.ca)} -cert ${quote(developer.cert)} -key ${quote(developer.key)}`;
  const call = `grpcurl ${identity} -authority product`;
  const list = `${call} -d '{"pageSize":2}' ${target} mercer.product.v1.ProductService/ListProducts`;
  return [section('List services by gRPC', `${call} ${target} list`), section('List products by gRPC', list)];
}

function section(name: string, line: string): string {
  return `${paint('bold', name)}\n${line}`;
}

/** As the shell reads one word, whatever the folder is called. */
function quote(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
