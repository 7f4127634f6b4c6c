/** A raw ADS client for tests: sends single requests and shows single responses. */
import { Client, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { adsDefinition, decode, ENDPOINTS } from './envoy-protos.ts';
import type { ClusterLoadAssignment } from './envoy-protos.ts';

/** What a test sends; the rest is empty. */
export type RawRequest = {
  type_url: string;
  resource_names?: string[];
  version_info?: string;
  response_nonce?: string;
  error_detail?: { code: number; message: string };
  node?: { id: string; user_agent_name: string };
};

/** What came, with its resources still packed. */
export type RawResponse = {
  type_url: string;
  version_info: string;
  nonce: string;
  resources: { type_url: string; value: Buffer }[];
};

/** One stream on a connection of its own. */
export class RawAds implements Disposable {
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<RawRequest, RawResponse>;
  readonly #received: RawResponse[] = [];
  #wake: () => void = () => undefined;

  constructor(port: number) {
    const { path, requestSerialize, responseDeserialize } = adsDefinition().StreamAggregatedResources;
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    this.#stream = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize as unknown as (request: RawRequest) => Buffer,
      responseDeserialize as unknown as (bytes: Buffer) => RawResponse,
    );
    this.#stream.on('data', (response: RawResponse) => {
      this.#received.push(response);
      this.#wake();
    });
    this.#stream.on('error', () => undefined);
  }

  send(request: RawRequest): void {
    this.#stream.write(request);
  }

  /** Accepts a response and says what is wanted from now on. */
  ack(response: RawResponse, names: string[]): void {
    const { type_url, version_info, nonce } = response;
    this.send({ type_url, version_info, response_nonce: nonce, resource_names: names });
  }

  /** The next response; rejects after two seconds without one. */
  async next(): Promise<RawResponse> {
    const response = await this.#take(2_000);
    if (response === undefined) throw new Error('no response within 2 s');
    return response;
  }

  /** The next response within a quarter of a second; undefined for silence. */
  silence(): Promise<RawResponse | undefined> {
    return this.#take(250);
  }

  [Symbol.dispose](): void {
    this.#stream.cancel();
    this.#client.close();
  }

  async #take(timeout: number): Promise<RawResponse | undefined> {
    const end = Date.now() + timeout;
    while (this.#received.length === 0 && Date.now() < end) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, end - Date.now());
      await promise;
      clearTimeout(timer);
    }
    return this.#received.shift();
  }
}

/** Names of the resources in a response: its listeners, clusters or assignments. */
export function namesIn({ resources }: RawResponse): string[] {
  return resources.map(({ type_url, value }) => nameOf(type_url, value));
}

/** Ports of the endpoints in a response by health, "HEALTHY 50051". */
export function endpointsIn({ resources }: RawResponse): string[] {
  return resources.flatMap(({ value }) => {
    const { endpoints = [] } = assignmentIn(value);
    return endpoints.flatMap(({ lb_endpoints: each = [] }) =>
      each.map(
        ({ health_status, endpoint }) => `${health_status} ${endpoint?.address?.socket_address?.port_value}`,
      ),
    );
  });
}

/** Reads an assignment back. */
export function assignmentIn(value: Buffer): ClusterLoadAssignment {
  return decode('envoy.config.endpoint.v3.ClusterLoadAssignment', value);
}

function nameOf(type: string, value: Buffer): string {
  if (type === ENDPOINTS) return assignmentIn(value).cluster_name ?? '';
  const kind = type.endsWith('.Cluster') ? 'cluster.v3.Cluster' : 'listener.v3.Listener';
  return decode(`envoy.config.${kind}`, value).name ?? '';
}
