/** Server reflection v1 and v1alpha, straight from gen/mercer.binpb, so that grpcurl needs no files. */
import { toBinary } from '@bufbuild/protobuf';
import type { DescFile, FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ServerReflectionService as V1 } from '#gen/grpc/reflection/v1/reflection.ts';
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '#gen/grpc/reflection/v1/reflection.ts';
import { ServerReflectionService as V1Alpha } from '#gen/grpc/reflection/v1alpha/reflection.ts';
import { registry } from './descriptors.ts';

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;
type Stream = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

/** The two versions of the reflection service; both share one wire format. */
export function reflection(
  services: string[],
): { definition: ServiceDefinition; implementation: UntypedServiceImplementation }[] {
  const listed = [...services, 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'].toSorted();
  const implementation = { serverReflectionInfo: (stream: Stream) => serve(stream, listed) };
  return [V1, V1Alpha].map((definition) => ({ definition, implementation }));
}

function serve(stream: Stream, services: string[]): void {
  stream.on('data', (request: ServerReflectionRequest) => {
    const messageResponse = answer(request, services);
    stream.write({ validHost: request.host, originalRequest: request, messageResponse });
  });
  stream.on('end', () => stream.end());
}

function answer({ messageRequest }: ServerReflectionRequest, services: string[]): Answer {
  switch (messageRequest?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return files(registry.getFile(messageRequest.value), messageRequest.value);
    case 'fileContainingSymbol':
      return files(fileOfSymbol(messageRequest.value, registry), messageRequest.value);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = messageRequest.value;
      return files(extensionsOf(containingType).get(extensionNumber), `${containingType} ${extensionNumber}`);
    }
    case 'allExtensionNumbersOfType': {
      const extensionNumber = [...extensionsOf(messageRequest.value).keys()];
      return {
        $case: 'allExtensionNumbersResponse',
        value: { baseTypeName: messageRequest.value, extensionNumber },
      };
    }
    case undefined:
      return {
        $case: 'errorResponse',
        value: { errorCode: status.UNIMPLEMENTED, errorMessage: 'unknown request' },
      };
  }
}

function files(file: DescFile | undefined, wanted: string): Answer {
  if (file === undefined) {
    return {
      $case: 'errorResponse',
      value: { errorCode: status.NOT_FOUND, errorMessage: `not found: ${wanted}` },
    };
  }
  const closure = [...dependencies(file)].map(({ proto }) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, proto)),
  );
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: closure } };
}

function dependencies(file: DescFile, seen: Set<DescFile> = new Set()): Set<DescFile> {
  seen.add(file);
  for (const dependency of file.dependencies) if (!seen.has(dependency)) dependencies(dependency, seen);
  return seen;
}

/** A symbol is a type, or a member of one: a method, a field, an enum value. */
function fileOfSymbol(symbol: string, types: FileRegistry): DescFile | undefined {
  const type = types.get(symbol) ?? types.get(symbol.slice(0, Math.max(symbol.lastIndexOf('.'), 0)));
  return type?.file;
}

function extensionsOf(typeName: string): Map<number, DescFile> {
  const found = new Map<number, DescFile>();
  for (const type of registry) {
    if (type.kind === 'extension' && type.extendee.typeName === typeName) found.set(type.number, type.file);
  }
  return found;
}
