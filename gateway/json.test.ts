/** JSON in and out: strict where the mapping is strict, and the same as @bufbuild/protobuf's everywhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, equals, fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { StatusError } from '#fabric/rpc/status-error.ts';
import fc from 'fast-check';
import { jsonReader } from './json-read.ts';
import { jsonWriter } from './json-write.ts';
import { parseJson } from './json-text.ts';
import { messageType, schema } from './schema.fixture.ts';

const types = schema();
const every = messageType(types, 'fixture.v1.EveryType');
const read = jsonReader(types).message(every);
const write = jsonWriter(types).message(every);

/** What the reader makes of JSON text, shown as the library writes it. */
function shown(text: string): JsonValue {
  const message = read(parseJson(Buffer.from(text)), '').message;
  return toJson(every, fromBinary(every, toBinary(every, message)), { registry: types });
}

function refusal(text: string | Uint8Array): { reason: string | undefined; field: string; message: string } {
  try {
    read(parseJson(Buffer.from(text)), '');
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    assert.equal(error.code, 3);
    return { reason: error.reason, field: error.metadata['field'] ?? '', message: error.message };
  }
  return assert.fail(`accepted: ${String(text).slice(0, 80)}`);
}

test('every form that the mapping allows is read', () => {
  const forms: [string, JsonValue][] = [
    ['{"int32": 1.50e1}', { int32: 15 }],
    ['{"int_32": "-2147483648"}', { int32: -2147483648 }],
    ['{"int64": 9223372036854775807}', { int64: '9223372036854775807' }],
    ['{"uint64": "18446744073709551615"}', { uint64: '18446744073709551615' }],
    ['{"int64": -9007199254740993}', { int64: '-9007199254740993' }],
    ['{"int64": 90071992547409930e-1}', { int64: '9007199254740993' }],
    ['{"twice": "-Infinity", "single": "NaN"}', { single: 'NaN', twice: '-Infinity' }],
    ['{"data": "-_8"}', { data: '+/8=' }],
    ['{"data": "+/8="}', { data: '+/8=' }],
    ['{"color": "COLOR_RED"}', { color: 'COLOR_RED' }],
    ['{"color": 2}', { color: 'COLOR_BLUE' }],
    ['{"color": 77}', { color: 77 }],
    ['{"text": null, "words": null, "labels": null, "child": null, "maybeText": null}', {}],
    ['{"maybeText": "", "maybe_number": 0}', { maybeText: '', maybeNumber: 0 }],
    ['{"sPeLlEd": "a"}', { sPeLlEd: 'a' }],
    ['{"spelled": "a"}', { sPeLlEd: 'a' }],
    ['{"choiceNull": null}', { choiceNull: null }],
    ['{"choiceText": null, "choiceNumber": 1}', { choiceNumber: '1' }],
    ['{"value": null, "values": [null, 1]}', { value: null, values: [null, 1] }],
    ['{"struct": {"a": {"b": [1, null, "c"]}}}', { struct: { a: { b: [1, null, 'c'] } } }],
    [
      '{"labels": {"__proto__": "x", "constructor": "y"}}',
      JSON.parse('{"labels":{"__proto__":"x","constructor":"y"}}') as JsonValue,
    ],
    ['{"byNumber": {"-1": {"text": "a"}}}', { byNumber: { '-1': { text: 'a' } } }],
    ['{"byFlag": {"true": 1, "false": "2"}}', { byFlag: { true: '1', false: '2' } }],
    ['{"time": "2026-01-31T12:00:00.000000001+01:00"}', { time: '2026-01-31T11:00:00.000000001Z' }],
    ['{"duration": "-1.5s"}', { duration: '-1.500s' }],
    ['{"mask": "a.b,cD"}', { mask: 'a.b,cD' }],
    [
      '{"int64Value": 9007199254740993, "boolValue": false}',
      { int64Value: '9007199254740993', boolValue: false },
    ],
    ['{"wrappedNumbers": ["1", 2]}', { wrappedNumbers: ['1', '2'] }],
    [
      '{"any": {"@type": "type.googleapis.com/fixture.v1.EveryType", "text": "a"}}',
      { any: { '@type': 'type.googleapis.com/fixture.v1.EveryType', text: 'a' } },
    ],
    [
      '{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}}',
      { any: { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1s' } },
    ],
    ['{"text": "\\u00e9\\ud83d\\ude00\\n"}', { text: 'é😀\n' }],
    [' {\t"text" :\r\n"" } ', {}],
  ];
  for (const [text, expected] of forms) assert.deepEqual(shown(text), expected, text);
});

test('what does not fit is refused naming the field', () => {
  const wrong: [string, string][] = [
    ['{"bogus": 1}', 'bogus'],
    ['{"child": {"children": [{}, {"bogus": 1}]}}', 'child.children[1].bogus'],
    ['{"text": 5}', 'text'],
    ['{"flag": "true"}', 'flag'],
    ['{"flag": 1}', 'flag'],
    ['{"int32": 1.5}', 'int32'],
    ['{"int32": 2147483648}', 'int32'],
    ['{"int32": "01"}', 'int32'],
    ['{"int32": "+1"}', 'int32'],
    ['{"int32": " 1"}', 'int32'],
    ['{"int32": ""}', 'int32'],
    ['{"int32": true}', 'int32'],
    ['{"int32": 1e999999999999}', 'int32'],
    ['{"uint32": -1}', 'uint32'],
    ['{"int64": 9223372036854775808}', 'int64'],
    ['{"uint64": 18446744073709551616}', 'uint64'],
    ['{"single": 3.5e38}', 'single'],
    ['{"twice": 1e309}', 'twice'],
    ['{"twice": "nan"}', 'twice'],
    ['{"data": "a"}', 'data'],
    ['{"data": "a$=="}', 'data'],
    ['{"data": "YQ="}', 'data'],
    ['{"color": "COLOR_GREEN"}', 'color'],
    ['{"color": "1"}', 'color'],
    ['{"color": 1.5}', 'color'],
    ['{"color": 2147483648}', 'color'],
    ['{"child": []}', 'child'],
    ['{"words": "a"}', 'words'],
    ['{"words": ["a", null]}', 'words[1]'],
    ['{"numbers": [1, "x"]}', 'numbers[1]'],
    ['{"labels": {"a": null}}', 'labels.a'],
    ['{"byNumber": {"x": {}}}', 'byNumber.x'],
    ['{"byNumber": {"1": {}, "1.0": {}}}', 'byNumber.1.0'],
    ['{"byFlag": {"TRUE": 1}}', 'byFlag.TRUE'],
    ['{"choiceText": "a", "choiceNumber": 1}', 'choiceNumber'],
    ['{"int32": 1, "int_32": 1}', 'int_32'],
    ['{"text": "a", "text": "a"}', 'text'],
    ['{"children": [{"text": "a", "text": "a"}]}', 'children[0].text'],
    ['{"time": "2026-01-31"}', 'time'],
    ['{"time": 5}', 'time'],
    ['{"duration": "1"}', 'duration'],
    ['{"mask": "a_b"}', 'mask'],
    ['{"any": {"@type": "type.googleapis.com/no.Such", "a": 1}}', 'any.@type'],
    ['{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s", "a": 1}}', 'any.a'],
    ['{"any": {"@type": "type.googleapis.com/fixture.v1.EveryType", "bogus": 1}}', 'any.bogus'],
    ['{"int64Value": "x"}', 'int64Value'],
    ['[]', 'body'],
    ['null', 'body'],
  ];
  for (const [text, field] of wrong)
    assert.deepEqual([refusal(text).reason, refusal(text).field], ['INVALID_FIELD', field], text);
});

test('what is no JSON is refused as such', () => {
  const deep = (levels: number): string => `${'{"child":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
  const broken: (string | Uint8Array)[] = [
    '',
    ' ',
    '{',
    '{"text"',
    '{"text":',
    '{"text":"a"',
    '{"text":"a",}',
    '{text:"a"}',
    "{'text':'a'}",
    '{}x',
    '{} {}',
    '{"words":["a",]}',
    '{"text":"\\x"}',
    '{"text":"\\ud800"}',
    '{"text":"a\nb"}',
    '{"text":"a',
    '\ufeff{}',
    '{"flag":True}',
    '{"int32":01}',
    '{"int32":+1}',
    '{"int32":.5}',
    '{"int32":1.}',
    '{"int32":0x1}',
    '{"twice":NaN}',
    '{"int32":1e}',
    '//a\n{}',
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    deep(65),
    `{"values":${'['.repeat(64)}${']'.repeat(64)}}`,
  ];
  for (const text of broken) assert.equal(refusal(text).reason, 'INVALID_JSON', String(text));
  assert.ok(shown(deep(64)));
});

test('a long number of zeros costs no more than its length', () => {
  const started = performance.now();
  refusal(`{"int64": 1${'0'.repeat(250_000)}1}`);
  refusal(`{"int64": 0.${'0'.repeat(250_000)}1}`);
  assert.ok(performance.now() - started < 1_000);
});

/** JSON values of each kind of field, by their canonical form. */
const wide = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const unsigned = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const small = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const text = fc.string({ unit: 'binary' }).filter((each) => each.isWellFormed() && !each.includes('\0'));
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const color = fc.constantFrom('COLOR_RED', 'COLOR_BLUE', 77);
const flat = {
  text,
  flag: fc.boolean(),
  int32: small,
  uint32: fc.nat(),
  sint32: small,
  fixed32: fc.nat(),
  sfixed32: small,
  int64: wide,
  uint64: unsigned,
  sint64: wide,
  fixed64: unsigned,
  sfixed64: wide,
  single: fc.float({ noNaN: true, noDefaultInfinity: true }),
  twice: double,
  data: fc.uint8Array().map((each) => Buffer.from(each).toString('base64')),
  color,
  words: fc.array(text),
  numbers: fc.array(wide),
  colors: fc.array(color),
  labels: fc.dictionary(text, text),
  byFlag: fc.dictionary(fc.constantFrom('true', 'false'), wide),
  byWide: fc.dictionary(wide, color),
  maybeText: text,
  maybeNumber: small,
  time: fc
    .date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    .map((each) => each.toISOString()),
  duration: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((each) => `${each}s`),
  value: fc.jsonValue(),
  list: fc.array(fc.jsonValue()),
  struct: fc.dictionary(text, fc.jsonValue()),
  int64Value: wide,
  stringValue: text,
  bytesValue: fc.constant('YQ=='),
  choiceNumber: wide,
};
const documents = fc.letrec((tie) => ({
  document: fc.record(
    { ...flat, child: tie('document'), children: fc.array(tie('document'), { maxLength: 2 }) },
    { requiredKeys: [] },
  ),
})).document;

test('documents are read and written as the reference does', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const given = JSON.stringify(document);
      const expected = fromJson(every, JSON.parse(given) as JsonValue, { registry: types });
      const message = read(parseJson(Buffer.from(given)), '').message;
      assert.ok(equals(every, message, expected, { registry: types }));
      const written = JSON.parse(write(reflect(every, expected))) as JsonValue;
      const reference = toJson(every, expected, { registry: types, alwaysEmitImplicit: true });
      assert.deepEqual(written, JSON.parse(JSON.stringify(reference)));
    }),
    { numRuns: 60 },
  );
});

test('defaults and empty lists are written, what is unset is not', () => {
  const written = JSON.parse(write(reflect(every, create(every)))) as Record<string, unknown>;
  assert.deepEqual(
    [
      written['text'],
      written['int64'],
      written['words'],
      written['labels'],
      written['color'],
      written['sPeLlEd'],
    ],
    ['', '0', [], {}, 'COLOR_UNSPECIFIED', ''],
  );
  for (const name of ['child', 'maybeText', 'maybeColor', 'choiceText', 'time', 'int64Value', 'any'])
    assert.ok(!(name in written), name);
});

test('an Any of a type that is not known keeps its bytes', () => {
  const any = { typeUrl: 'type.googleapis.com/no.Such', value: Buffer.from('abc') };
  const message = fromJson(every, {});
  const withAny = reflect(every, message);
  const field = every.fields.find((each) => each.name === 'any');
  assert.ok(field?.fieldKind === 'message');
  withAny.set(field, reflect(field.message, Object.assign(create(field.message), any)));
  const written = JSON.parse(write(withAny)) as Record<string, unknown>;
  assert.deepEqual(written['any'], { '@type': any.typeUrl, value: 'YWJj' });
});
