/** Compares the wiring of docker-compose.yml with what the launcher gives its processes. */
import { equal } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../root.ts';

type Compose = { services: Record<string, { environment: Record<string, string> }> };

const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), {
  merge: true,
}) as Compose;

test('in containers the acquirer sends its events to the gateway, signed with the key of payment', () => {
  const acquirer = services['acquirer']?.environment ?? {};
  equal(acquirer['MERCER_ACQUIRER_EVENT_URL'], 'http://gateway:8080/v1/payments:acquirerEvent');
  equal(acquirer['MERCER_ACQUIRER_EVENT_SECRET'], '${ACQUIRER_EVENT_SECRET:-development-only}');
  equal(
    services['payment']?.environment['MERCER_ACQUIRER_EVENT_SECRET'],
    acquirer['MERCER_ACQUIRER_EVENT_SECRET'],
  );
});
