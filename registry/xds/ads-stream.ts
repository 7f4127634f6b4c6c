/** One client's ADS stream: what it subscribed to, what it was told, and what it still has to hear. */
import { CLUSTER, encode, ENDPOINTS } from './envoy-protos.ts';
import type { DiscoveryRequest } from './envoy-protos.ts';
import { RESOURCE_TYPES } from './resource-table.ts';
import type { ResourceTable, ResourceType } from './resource-table.ts';

/** A resource that a client refused; it keeps the version before. */
export type Nack = {
  readonly node: string;
  readonly agent: string;
  readonly type: string;
  readonly version: string;
  readonly message: string;
};

/** What a stream stands on. */
export type AdsStreamOptions = {
  readonly table: ResourceTable;
  /** Sends a serialized DiscoveryResponse and calls back when there is room for another. */
  readonly write: (bytes: Buffer, done: () => void) => void;
  /** Whether the registry started so lately that instances may not have registered again yet. */
  readonly warming: () => boolean;
  readonly onNack: (nack: Nack) => void;
  /** Told when a client asks for more names than a stream may have. */
  readonly onExcess: (node: string, names: number) => void;
};

/** The most names of one type that a stream may subscribe to. */
export const MOST_NAMES = 1_000;
/** Envoy alone means "everything" by an empty list. */
const ENVOY = 'envoy';
const WILDCARD = '*';

type Subscription = {
  names: ReadonlySet<string>;
  /** Every request of this type so far named nothing. */
  nameless: boolean;
  wildcard: boolean;
  /** Of the last response; empty before the first. */
  nonce: string;
  /** Names that changed, or were asked for, since the last response. */
  readonly due: Set<string>;
  /** Names that are vacant here but may be in this client's cache. */
  readonly held: Set<string>;
};

/**
 * State-of-the-world ADS as in Envoy's xDS protocol document ("ACK/NACK and resource type instance version",
 * "How the client specifies what resources to return"), with what gRPC clients need beyond it:
 *
 * - A request with another nonce than the last one sent is stale and dropped whole.
 * - A NACK is told by its error, never by its version (gRFC A46), and what was refused is not sent again.
 * - A name that is new to the stream is answered at once whatever version the client claims to have: grpc-js,
 *   Go and Java keep the version after they dropped the resource (grpc-java#9632, go-control-plane#608).
 * - Listeners and clusters are always sent in full, since one left out is one deleted; of endpoints only what
 *   changed is sent.
 * - At most one response is under way; what changes meanwhile is sent once, in its latest version.
 */
export class AdsStream {
  readonly #options: AdsStreamOptions;
  readonly #subscriptions = new Map<ResourceType, Subscription>();
  #node = { id: '', agent: '' };
  #sent = 0;
  #writing = false;
  #excessive = false;

  constructor(options: AdsStreamOptions) {
    this.#options = options;
  }

  /** Takes in a subscription, an ACK or a NACK. A type that is not served is left unanswered. */
  receive(request: DiscoveryRequest): void {
    const { node } = request;
    if (node !== null) this.#node = { id: node.id, agent: node.user_agent_name };
    const type = RESOURCE_TYPES.find((each) => each === request.type_url);
    if (type === undefined) return;
    if (request.error_detail !== null) this.#reportNack(request, request.error_detail.message);
    const known = this.#subscriptions.get(type);
    if (known !== undefined && request.response_nonce !== known.nonce) return;
    this.#subscribe(type, known ?? this.#open(type), request);
    this.#flush();
  }

  /** Tells of resources that changed. */
  changed(type: ResourceType, names: Iterable<string>): void {
    const subscription = this.#subscriptions.get(type);
    if (subscription === undefined) return;
    for (const name of names) {
      if (!subscription.wildcard && !subscription.names.has(name)) continue;
      subscription.held.delete(name);
      subscription.due.add(name);
    }
    this.#flush();
  }

  /** Tells of clusters that came to be, to those who asked for all. */
  appeared(names: Iterable<string>): void {
    const subscription = this.#subscriptions.get(CLUSTER);
    if (subscription?.wildcard !== true) return;
    for (const name of names) subscription.due.add(name);
    this.#flush();
  }

  /** Tells the end of the registry's warm-up: what is vacant still is vacant in truth. */
  warm(): void {
    for (const { held, due } of this.#subscriptions.values()) {
      for (const name of held) due.add(name);
      held.clear();
    }
    this.#flush();
  }

  #open(type: ResourceType): Subscription {
    const none = { names: new Set<string>(), nameless: true, wildcard: false, nonce: '' };
    const subscription = { ...none, due: new Set<string>(), held: new Set<string>() };
    this.#subscriptions.set(type, subscription);
    return subscription;
  }

  #subscribe(type: ResourceType, subscription: Subscription, request: DiscoveryRequest): void {
    const names = this.#admitted(request.resource_names);
    const added = names.difference(subscription.names);
    subscription.names = names;
    subscription.nameless &&= request.resource_names.length === 0;
    const wildcard = this.#meansAll(type, subscription);
    const all = wildcard && !subscription.wildcard ? [WILDCARD, ...this.#options.table.all(type)] : [];
    subscription.wildcard = wildcard;
    if (!wildcard) for (const waiting of [subscription.due, subscription.held]) prune(waiting, names);
    const cached = type === ENDPOINTS && this.#mayHold(subscription, request);
    for (const name of [...added, ...all]) {
      const hold = cached && this.#options.table.vacant(name);
      (hold ? subscription.held : subscription.due).add(name);
    }
  }

  /** Whether the client brings resources of an earlier process, which silence keeps and emptiness takes away. */
  #mayHold({ nonce }: Subscription, { version_info: version }: DiscoveryRequest): boolean {
    return nonce === '' && this.#options.warming() && this.#options.table.foreign(version);
  }

  #admitted(asked: readonly string[]): Set<string> {
    if (asked.length > MOST_NAMES && !this.#excessive) {
      this.#excessive = true;
      this.#options.onExcess(this.#node.id, asked.length);
    }
    return new Set(asked.slice(0, MOST_NAMES));
  }

  /** A gRPC client that names nothing wants nothing (grpc-go before #7026 did so on reconnect). */
  #meansAll(type: ResourceType, { names, nameless }: Subscription): boolean {
    if (type === ENDPOINTS) return false;
    return names.has(WILDCARD) || (nameless && this.#node.agent === ENVOY);
  }

  #flush(): void {
    for (const type of RESOURCE_TYPES) {
      if (this.#writing) return;
      const subscription = this.#subscriptions.get(type);
      if (subscription !== undefined && subscription.due.size > 0) this.#send(type, subscription);
    }
  }

  #send(type: ResourceType, subscription: Subscription): void {
    const response = this.#options.table.response(type, this.#namesToSend(type, subscription));
    subscription.due.clear();
    this.#sent += 1;
    subscription.nonce = String(this.#sent);
    this.#writing = true;
    // Messages joined are messages merged, so only the nonce is this stream's own.
    const nonce = encode('envoy.service.discovery.v3.DiscoveryResponse', { nonce: subscription.nonce });
    this.#options.write(Buffer.concat([response, nonce]), () => {
      this.#writing = false;
      this.#flush();
    });
  }

  #namesToSend(type: ResourceType, { names, wildcard, due }: Subscription): string[] {
    if (type === ENDPOINTS) return [...due].sort();
    const all = wildcard ? names.union(new Set(this.#options.table.all(type))) : names;
    return [...all].sort();
  }

  #reportNack({ type_url: type, version_info: version }: DiscoveryRequest, message: string): void {
    const { id: node, agent } = this.#node;
    this.#options.onNack({ node, agent, type, version, message });
  }
}

function prune(waiting: Set<string>, names: ReadonlySet<string>): void {
  for (const name of waiting) if (!names.has(name)) waiting.delete(name);
}
