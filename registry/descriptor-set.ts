/** Reads the descriptor set that an instance registers with, to refuse what could not be served later. */
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';

/**
 * Throws INVALID_ARGUMENT with reason DESCRIPTOR_SET_INVALID unless the bytes are a
 * google.protobuf.FileDescriptorSet that holds every file it imports, in topological order (as
 * `buf build --as-file-descriptor-set` and `protoc --include_imports` write it). No bytes are no set.
 */
export function requireReadable(bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  try {
    createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new StatusError(status.INVALID_ARGUMENT, `the descriptor set cannot be read: ${why}`, {
      reason: 'DESCRIPTOR_SET_INVALID',
      metadata: { problem: why },
      cause,
    });
  }
}
