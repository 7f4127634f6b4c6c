/** A process that imports grpc-js long before it starts tracing, then serves and makes one call of each kind. */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Client, Metadata, Server, ServerCredentials, credentials, status } from '@grpc/grpc-js';
import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
} from '@grpc/grpc-js';
import { createLogger } from './logger.ts';
import { startTracing, withSpan } from './tracing.ts';

const echo = (bytes: Buffer): Buffer => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: echo,
  requestDeserialize: echo,
  responseSerialize: echo,
  responseDeserialize: echo,
});
const definition = {
  one: method('One', false, false),
  nested: method('Nested', false, false),
  fail: method('Fail', false, false),
  many: method('Many', false, true),
  both: method('Both', true, true),
  watch: method('WatchThings', false, true),
  heartbeat: method('Heartbeat', false, false),
} satisfies ServiceDefinition;

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Name = keyof typeof definition;

const tracing = startTracing({
  service: 'fixture',
  zipkinUrl: process.env['ZIPKIN_URL'] ?? '',
  sampleRate: Number(process.env['SAMPLE_RATE'] ?? 1),
});
const log = createLogger({ service: 'fixture', instance: 'fixture-1', level: 'info' });

const server = new Server();
server.addService(definition, {
  one: (call: Unary, done: sendUnaryData<Buffer>) => {
    log.info({ event: 'one', headers: call.metadata.getMap() }, 'served one');
    done(null, call.request);
  },
  nested: (_: Unary, done: sendUnaryData<Buffer>) => {
    void nextTurn().then(async () => done(null, await unary('one')));
  },
  fail: (_: Unary, done: sendUnaryData<Buffer>) => done({ code: status.NOT_FOUND, details: 'no such thing' }),
  many: (call: ServerWritableStream<Buffer, Buffer>) => {
    call.write(call.request);
    call.end();
  },
  both: (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on('data', (bytes: Buffer) => call.write(bytes));
    call.on('end', () => call.end());
  },
  watch: (call: ServerWritableStream<Buffer, Buffer>) => call.end(),
  heartbeat: (call: Unary, done: sendUnaryData<Buffer>) => done(null, call.request),
});
const port = await new Promise<number>((resolve, reject) => {
  const bound = (error: Error | null, bound: number): void =>
    error === null ? resolve(bound) : reject(error);
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
});
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
const request = Buffer.from('ping');

function unary(name: Name): Promise<Buffer> {
  const options = { deadline: Date.now() + 5_000 };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      definition[name].path,
      echo,
      echo,
      request,
      new Metadata(),
      options,
      (error, answer) =>
        error === null && answer !== undefined ? resolve(answer) : reject(error ?? new Error('no answer')),
    );
  });
}

async function stream(name: Name): Promise<void> {
  const call = client.makeServerStreamRequest(definition[name].path, echo, echo, request, new Metadata(), {});
  call.resume();
  await once(call, 'end');
}

async function bidi(): Promise<void> {
  const call = client.makeBidiStreamRequest(definition.both.path, echo, echo, new Metadata(), {});
  call.resume();
  call.end(request);
  await once(call, 'end');
}

await withSpan('root', {}, async () => {
  await unary('nested');
  await unary('fail').catch(() => undefined);
  await stream('many');
  await bidi();
  await stream('watch');
  await unary('heartbeat');
});
client.close();
await new Promise((resolve) => server.tryShutdown(resolve));
await tracing.shutdown();
log.info({ event: 'done', lost: tracing.lostSpans() }, 'done');
process.exit(0);
