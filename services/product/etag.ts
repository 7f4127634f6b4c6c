/** The etag of a product, REVISION-STOCK; what changes it is compared by the revision alone. */
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';

/** The etag of a product as it stands. */
export function etagOf({ revision, stockAvailable }: { revision: bigint; stockAvailable: number }): string {
  return `${revision}-${stockAvailable}`;
}

/**
 * The revision that an etag asks for; undefined when there is no etag, or it is `*` (RFC 9110, 13.1.1: any).
 * ABORTED with reason ETAG_MISMATCH when the text was never an etag of a product.
 */
export function readRevision(etag: string): bigint | undefined {
  if (etag === '' || etag === '*') return undefined;
  const revision = /^(?:W\/)?"?(?<revision>\d{1,18})-\d+"?$/u.exec(etag)?.groups?.['revision'];
  if (revision !== undefined) return BigInt(revision);
  throw new StatusError(status.ABORTED, 'the etag is not one of this product', { reason: 'ETAG_MISMATCH' });
}
