/** Scrapes every stand-in. */
import { equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchFolder, startStandIn } from './stand-in.fixture.ts';

const FOLDERS = { idp: 'identity-provider', acquirer: 'acquirer', collector: 'collector' };

for (const [service, folder] of Object.entries(FOLDERS)) {
  test(`the ${service} counts requests by route and status`, { timeout: 30_000 }, async () => {
    const main = fileURLToPath(new URL(`../${folder}/main.ts`, import.meta.url));
    const { url, end } = await startStandIn(main, { MERCER_DATA_DIR: await scratchFolder() });
    for (const path of ['livez', 'livez', 'nothing/here']) await (await fetch(`${url}/${path}`)).text();
    const scrape = await fetch(`${url}/metrics`);
    equal(scrape.status, 200);
    const text = await scrape.text();
    const label = (route: string, status: number): string =>
      `http_requests_total{method="GET",route="${route}",status="${status}",service="${service}"}`;
    equal(text.includes(`${label('/livez', 200)} 2\n`), true, text);
    equal(text.includes(`${label('none', 404)} 1\n`), true, text);
    match(text, /^process_resident_memory_bytes\{/mu);
    await end();
  });
}
