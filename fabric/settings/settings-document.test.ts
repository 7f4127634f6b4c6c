/** docs/settings.md and the table of settings say the same. */
import { equal } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { settingsDocument } from './settings-document.ts';

test('docs/settings.md lists every setting as the table has it', async () => {
  const document = await readFile(new URL('../../docs/settings.md', import.meta.url), 'utf8');
  equal(document, settingsDocument(), 'run: node fabric/settings/settings-document.ts > docs/settings.md');
});
