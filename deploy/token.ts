/** Prints an access token of the development identity provider, inside of its own container. */

const [role = 'CUSTOMER', sub = role.toLowerCase()] = process.argv.slice(2);
const response = await fetch('http://127.0.0.1:9000/dev/token', {
  method: 'POST',
  headers: {
    authorization: `Bearer ${process.env['MERCER_DEV_SECRET'] ?? ''}`,
    'content-type': 'application/json',
  },
  body: JSON.stringify({ sub, groups: [role], ttl: 3600 }),
  signal: AbortSignal.timeout(5_000),
});
const answer = (await response.json()) as { access_token?: string };
if (answer.access_token === undefined) throw new Error(`the identity provider answered ${response.status}`);
process.stdout.write(`${answer.access_token}\n`);
