/** Descriptor sets for tests, built by buf out of fixture/ and whatever else a test says. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import type { DescMessage, FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const ROOT = join(import.meta.dirname, '..');
const BUF = join(ROOT, 'node_modules/.bin/buf');

/** The types of fixture/ together with a further file, given as text. */
export function schema(text?: string): FileRegistry {
  const folder = mkdtempSync(join(tmpdir(), 'mercer-schema-'));
  try {
    cpSync(join(ROOT, 'proto'), join(folder, 'proto'), { recursive: true });
    cpSync(join(import.meta.dirname, 'fixture'), join(folder, 'fixture'), { recursive: true });
    const modules = ['proto/third_party', 'fixture'].map((path) => ({ path }));
    const own = { path: 'proto', excludes: ['proto/third_party'] };
    writeFileSync(join(folder, 'buf.yaml'), JSON.stringify({ version: 'v2', modules: [own, ...modules] }));
    if (text !== undefined) writeFileSync(join(folder, 'fixture', 'further.proto'), text);
    const words = ['build', '--as-file-descriptor-set', '--exclude-source-info', '-o', '-'];
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, execFileSync(BUF, words, { cwd: folder })));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A message that must be there. */
export function messageType(types: FileRegistry, name: string): DescMessage {
  const type = types.getMessage(name);
  if (type === undefined) throw new Error(`there is no message ${name}`);
  return type;
}
