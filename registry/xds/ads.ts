/** The xDS port: every instance of every service, told to whoever asks, over aggregated discovery streams. */
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { LRUCache } from 'lru-cache';
import type { Logger } from '#fabric/telemetry/logger.ts';
import { TTL } from '../domain.ts';
import type { LeaseStore } from '../leases.ts';
import { AdsStream } from './ads-stream.ts';
import type { Nack } from './ads-stream.ts';
import { adsDefinition, ENDPOINTS } from './envoy-protos.ts';
import type { DiscoveryRequest } from './envoy-protos.ts';
import { ResourceTable } from './resource-table.ts';

/** Where to serve, and from what. */
export type AdsOptions = {
  readonly leases: LeaseStore;
  readonly log: Logger;
  /** "127.0.0.1:50060"; port 0 takes a free one. The port is plaintext: loopback or a private network. */
  readonly bind: string;
  /** How long after the start instances may take to register again, in ms; default 15 s, the usual TTL. */
  readonly warmUp?: number;
};

/** A serving xDS port. */
export type AdsServer = {
  readonly port: number;
  /** Open streams; a gRPC process has one while it has a channel in use. */
  readonly streams: () => number;
  /** The latest refusal of each node and type. */
  readonly nacks: () => Nack[];
  readonly close: () => void;
};

/** How long changes are gathered before they are told, in ms. */
const WINDOW = 50;
const MOST_NACKS = 1_000;

/**
 * Clients ping every 5 min (grpc-js) and may stay for ever: no idle close and no maximum age, because
 * grpc-js never resets its reconnect back-off. A client that vanished is noticed by our own pings.
 */
const OPTIONS = {
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.max_receive_message_length': 1024 * 1024,
};

type Call = ServerDuplexStream<DiscoveryRequest, Buffer>;

/** Serves ADS (state of the world, v3) until it is closed; fails when the port is taken. */
export async function startAds(options: AdsOptions): Promise<AdsServer> {
  const hub = new Hub(options);
  const server = new Server(OPTIONS);
  server.addService(adsDefinition(), {
    StreamAggregatedResources: (call: Call) => hub.open(call),
    DeltaAggregatedResources: (call: Call) =>
      void call.emit('error', { code: status.UNIMPLEMENTED, details: 'only state of the world is served' }),
  });
  const port = await listen(server, options.bind);
  return {
    port,
    streams: () => hub.streams,
    nacks: () => hub.nacks,
    close: () => {
      hub.close();
      server.forceShutdown();
    },
  };
}

/** All streams, and what is to be told to them. */
class Hub {
  readonly #log: Logger;
  readonly #table: ResourceTable;
  readonly #streams = new Set<AdsStream>();
  readonly #nacks = new LRUCache<string, Nack>({ max: MOST_NACKS });
  readonly #changed = new Set<string>();
  readonly #unsubscribe: () => void;
  readonly #warmUp: NodeJS.Timeout;
  #warming = true;
  #timer: NodeJS.Timeout | undefined;

  constructor({ leases, log, warmUp = TTL.usual }: AdsOptions) {
    this.#log = log;
    this.#table = new ResourceTable({ leases, log, epoch: Date.now().toString(36) });
    this.#unsubscribe = leases.subscribe((service) => this.#gather(service));
    this.#warmUp = setTimeout(() => this.#warm(), warmUp).unref();
  }

  get streams(): number {
    return this.#streams.size;
  }

  get nacks(): Nack[] {
    return [...this.#nacks.values()];
  }

  open(call: Call): void {
    const end = (): void => void this.#streams.delete(stream);
    const stream = new AdsStream({
      table: this.#table,
      write: (bytes, done) => void call.write(bytes, (error?: Error | null) => (error ? end() : done())),
      warming: () => this.#warming,
      onNack: (nack) => this.#nacked(nack),
      onExcess: (node, names) => this.#log.warn({ event: 'ads_excess', node, names }, 'names were left out'),
    });
    this.#streams.add(stream);
    call.on('data', (request: DiscoveryRequest) => stream.receive(request));
    call.on('end', () => call.end());
    call.on('error', end).on('cancelled', end).on('close', end);
  }

  close(): void {
    this.#unsubscribe();
    clearTimeout(this.#timer);
    clearTimeout(this.#warmUp);
  }

  #gather(service: string): void {
    this.#changed.add(service);
    this.#timer ??= setTimeout(() => this.#tell(), WINDOW);
  }

  #tell(): void {
    this.#timer = undefined;
    const gathered = [...this.#changed];
    this.#changed.clear();
    const appeared = gathered.filter((service) => !this.#table.publishes(service));
    const changed = gathered.filter((service) => this.#table.refresh(service));
    for (const stream of this.#streams) {
      stream.appeared(appeared);
      stream.changed(ENDPOINTS, changed);
    }
  }

  #warm(): void {
    this.#warming = false;
    for (const stream of this.#streams) stream.warm();
  }

  #nacked(nack: Nack): void {
    this.#nacks.set(`${nack.node} ${nack.type}`, nack);
    this.#log.warn({ event: 'xds_nack', ...nack }, 'a client refused a resource');
  }
}

function listen(server: Server, bind: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(bind, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}
