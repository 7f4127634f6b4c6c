/** Writes the messages that proto3 JSON gives a form of their own: times, masks, wrappers, Struct and Any. */
import { fromBinary, toJson } from '@bufbuild/protobuf';
import type { DescMessage, Registry } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import { isWellKnown } from './json-read-well-known.ts';
import type { MessageWriter } from './json-write.ts';

/** Where the messages inside an Any come from. */
export type WriterContext = { types: Registry; message: (type: DescMessage) => MessageWriter };

/** The writer of a well-known type; undefined for a message whose JSON is an object of its fields. */
export function wellKnownWriter(type: DescMessage, context: WriterContext): MessageWriter | undefined {
  if (type.typeName === 'google.protobuf.Any') return anyWriter(context);
  return isWellKnown(type) ? (message) => JSON.stringify(toJson(type, message.message)) : undefined;
}

/** A type that is not known here does not break the answer: its bytes go out in base64. */
function anyWriter({ types, message }: WriterContext): MessageWriter {
  return (any) => {
    const { typeUrl, value } = any.message as unknown as { typeUrl: string; value: Uint8Array };
    if (typeUrl === '') return '{}';
    const head = `{"@type":${JSON.stringify(typeUrl)}`;
    const content = unpack(types, typeUrl, value);
    if (content === undefined) return `${head},"value":"${Buffer.from(value).toString('base64')}"}`;
    const text = message(content.desc)(content);
    if (isWellKnown(content.desc)) return `${head},"value":${text}}`;
    return text === '{}' ? `${head}}` : `${head},${text.slice(1)}`;
  };
}

function unpack(types: Registry, typeUrl: string, bytes: Uint8Array): ReflectMessage | undefined {
  const type = types.getMessage(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
  if (type === undefined) return undefined;
  try {
    return reflect(type, fromBinary(type, bytes), false);
  } catch {
    return undefined;
  }
}
