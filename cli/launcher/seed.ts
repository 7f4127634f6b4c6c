/** Fills the catalogue over gRPC, as an ADMIN with a developer's certificate. */
import { randomUUID } from 'node:crypto';
import { runInCall } from '#fabric/rpc/call-context.ts';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import { openChannel } from '#fabric/rpc/channel.ts';
import { connect } from '#fabric/rpc/client.ts';
import type { IssuedFiles } from '#fabric/identity/pki.ts';
import { readWorkloadCredentials } from '#fabric/identity/workload.ts';
import { CreateProductRequest, ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import { seedCatalogue } from '../../dev/seed/seed-catalogue.ts';
import type { Seeded } from '../../dev/seed/seed-catalogue.ts';

/** What to fill the catalogue with, where, and as whom. */
export type SeedOptions = {
  what: 'demo' | 'none' | number;
  /** host:port of a product service. */
  target: string;
  developer: IssuedFiles;
  /** Of an ADMIN. */
  token: string;
};

/** All of it may take this long, in ms: 100 000 products are a few minutes. */
const LONGEST = 600_000;
const TIMEOUT = 5_000;

/** Adds the products that are missing; those that are there stay as they are. */
export async function seed({ what, target, developer, token }: SeedOptions): Promise<Seeded> {
  const credentials = readWorkloadCredentials(developer);
  const channel = openChannel({ target, authority: 'product', credentials });
  const products = connect(ProductServiceService, channel);
  try {
    return await runInCall(callOf(token), () =>
      seedCatalogue({
        what,
        create: (product) =>
          products.createProduct(CreateProductRequest.create({ product, productId: product.productId }), {
            timeout: TIMEOUT,
          }),
      }),
    );
  } finally {
    channel.close();
  }
}

/** Calls made within it carry the token. */
function callOf(token: string): CallContext {
  return {
    method: 'seed',
    caller: undefined,
    user: undefined,
    token,
    requestId: randomUUID(),
    deadline: new Date(Date.now() + LONGEST),
    signal: AbortSignal.timeout(LONGEST),
  };
}
