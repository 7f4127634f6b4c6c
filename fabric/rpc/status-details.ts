/** Reads and writes google.rpc details in the metadata key grpc-status-details-bin (gRFC A60, AIP-193). */
import { Metadata } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, PreconditionFailure, RetryInfo } from '#gen/google/rpc/error_details.ts';
import { Status } from '#gen/google/rpc/status.ts';
import type { StatusError } from './status-error.ts';

const KEY = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/';

/** ErrorInfo.domain of every reason that Mercer makes. */
export const ERROR_DOMAIN = 'mercer';

/** A typed google.rpc detail other than ErrorInfo, which StatusError makes from its reason. */
export type Detail =
  | { type: 'google.rpc.BadRequest'; value: BadRequest }
  | { type: 'google.rpc.PreconditionFailure'; value: PreconditionFailure }
  | { type: 'google.rpc.RetryInfo'; value: RetryInfo };

/** The metadata that tells a client reason and details; empty when there are none. */
export function writeDetails(error: StatusError): Metadata {
  const metadata = new Metadata();
  if (error.reason === undefined && error.details.length === 0) return metadata;
  metadata.set(KEY, Buffer.from(Status.encode(toStatus(error)).finish()));
  return metadata;
}

/** The google.rpc.Status of an error, as batches answer it and metadata carries it. */
export function toStatus(error: StatusError): Status {
  const details = error.details.map((detail) => packDetail(detail));
  if (error.reason !== undefined) {
    const info: ErrorInfo = { reason: error.reason, domain: ERROR_DOMAIN, metadata: error.metadata };
    details.unshift(pack('google.rpc.ErrorInfo', ErrorInfo.encode(info).finish()));
  }
  return { code: error.code, message: error.message, details };
}

/** What a failed call tells in its metadata; unknown and unreadable details are left out. */
export function readDetails(metadata: Metadata | undefined): { info?: ErrorInfo; details: Detail[] } {
  const [bytes] = metadata?.get(KEY) ?? [];
  if (!Buffer.isBuffer(bytes)) return { details: [] };
  try {
    return unpackDetails(Status.decode(bytes));
  } catch {
    return { details: [] };
  }
}

/** The ErrorInfo and the known details of a google.rpc.Status. */
export function unpackDetails(rpcStatus: Status): { info?: ErrorInfo; details: Detail[] } {
  const details: Detail[] = [];
  let info: ErrorInfo | undefined;
  for (const { typeUrl, value } of rpcStatus.details) {
    const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
    if (type === 'google.rpc.ErrorInfo') info = ErrorInfo.decode(value);
    else if (type === 'google.rpc.BadRequest') details.push({ type, value: BadRequest.decode(value) });
    else if (type === 'google.rpc.PreconditionFailure')
      details.push({ type, value: PreconditionFailure.decode(value) });
    else if (type === 'google.rpc.RetryInfo') details.push({ type, value: RetryInfo.decode(value) });
  }
  return info === undefined ? { details } : { info, details };
}

function packDetail(detail: Detail): Status['details'][number] {
  switch (detail.type) {
    case 'google.rpc.BadRequest':
      return pack(detail.type, BadRequest.encode(detail.value).finish());
    case 'google.rpc.PreconditionFailure':
      return pack(detail.type, PreconditionFailure.encode(detail.value).finish());
    case 'google.rpc.RetryInfo':
      return pack(detail.type, RetryInfo.encode(detail.value).finish());
  }
}

function pack(type: string, bytes: Uint8Array): Status['details'][number] {
  return { typeUrl: TYPE_PREFIX + type, value: Buffer.from(bytes) };
}
