/** How the pages of traces look. */

/** Each carries white text. */
const COLOURS = ['#3b6fd4', '#2f9e77', '#c2571a', '#8a5bd1', '#b83280', '#0f8b9d', '#a67c00', '#5a6b7f'];

/** CSS of both pages. */
export const STYLE = `
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
h1 { margin: 0; font-size: 1.35rem; overflow-wrap: anywhere; }
.sub { margin: .25rem 0 1.25rem; color: var(--faint); }
.sheet { background: #fff; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
form { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin: 0 0 1rem; }
label { display: grid; gap: .2rem; color: var(--faint); font-size: .8rem; }
select, input, button { padding: .4rem .6rem; font: inherit; color: var(--ink); background: #fff;
  height: 2.3rem; border: 1px solid var(--line); border-radius: 6px; }
button { color: #fff; background: var(--accent); border-color: var(--accent); cursor: pointer; }
.row { display: grid; grid-template-columns: minmax(14rem, 5fr) minmax(8rem, 6fr) 5.5rem; gap: 1rem; align-items: center;
  padding: .4rem 1rem; border-bottom: 1px solid var(--line); color: inherit; }
a.row:hover { background: var(--ground); text-decoration: none; }
.name { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.took { text-align: right; font-variant-numeric: tabular-nums; }
.faint { display: block; color: var(--faint); font-size: .85rem; white-space: normal; }
.failed { color: #b42318; font-weight: 600; }
.service { display: inline-block; padding: 0 .45rem; border-radius: 4px; color: #fff; font-size: .8rem; }
svg { display: block; width: 100%; height: 12px; }
.guide { display: inline-block; width: 1.1rem; color: var(--line); text-align: center; }
summary { cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary:hover, details[open] > summary { background: var(--ground); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; padding: .75rem 1rem 1rem 2rem;
  border-bottom: 1px solid var(--line); background: #fcfcfd; font-size: .85rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
.empty { padding: 3rem 1rem; text-align: center; color: var(--faint); }
${COLOURS.map((colour, index) => `.c${index} { background: ${colour}; fill: ${colour}; }`).join('\n')}
`;

/** The class that colours a service: by its place among all, so that neighbours differ. */
export function colourOf(service: string, services: readonly string[]): string {
  return `c${Math.max(0, services.indexOf(service)) % COLOURS.length}`;
}

/** A span's name without what is the same for all of its kind: "OrderService/CreateOrder" of a gRPC call. */
export function shortName(name: string): string {
  return name.replace(/^grpc\.(?:[\w-]+\.)*(?=\w+\/\w+$)/u, '');
}

/** Microseconds for people: "870 µs", "12.4 ms", "3.05 s". */
export function durationText(microseconds: number): string {
  if (microseconds < 1_000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1_000_000) return `${significant(microseconds / 1_000)} ms`;
  return `${significant(microseconds / 1_000_000)} s`;
}

/** Microseconds since the epoch as a UTC time. */
export function timeText(microseconds: number): string {
  return new Date(microseconds / 1_000).toISOString().replace('T', ' ').replace('Z', ' UTC');
}

function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
