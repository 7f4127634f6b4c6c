/** Writes docs/settings.md from the table of settings: `node fabric/settings/settings-document.ts > docs/settings.md`. */
import { readersOf, SERVICES, SETTING_KEYS, settingOf } from './keys.ts';
import type { SettingKey } from './keys.ts';

const INTRODUCTION = `# Settings

Every process takes its settings from three places, the first one wins:

1. its environment: \`MERCER_\` and the key in capitals, other characters as \`_\`, so \`trace.sample-rate\` is
   \`MERCER_TRACE_SAMPLE_RATE\`; \`mercer up --set KEY=VALUE\` gives every process such a variable;
2. the configuration repository, through the config server: \`application.yml\` for all, \`NAME.yml\` for one service, each
   also as \`…-PROFILE.yml\`;
3. the defaults below.

A value that is wrong, a key that is missing, an unknown \`MERCER_*\` variable and an unknown key in a \`NAME*.yml\` stop the
start with one sentence (exit code 78); unknown keys in \`application*.yml\` are for others and left alone. A process that
cannot reach the config server within 3 s starts from the last-known-good copy in \`data.dir\`, or without one from
environment and defaults; its readiness detail then says \`stale\` or \`none\`.

Durations are a whole number and \`ms\`, \`s\`, \`m\` or \`h\`. Lists have commas between, or are an array in YAML. A *live* key
is one that may change without a restart; processes read all keys at their start. *Environment* keys count in the environment
alone: they are needed before the config server can be asked, or are one process's own. A key without default must be given. Values of *secret* keys are never shown.
`;

/** The whole document. */
export function settingsDocument(): string {
  const table = [
    '| Key | Default | Takes | Read by | Change | Meaning |',
    '|---|---|---|---|---|---|',
    ...SETTING_KEYS.map(row),
  ];
  return `${INTRODUCTION}\n${table.join('\n')}\n`;
}

function row(key: SettingKey): string {
  const { kind, live, environmentOnly, secret, meaning } = settingOf(key);
  const notes = [
    live === true ? 'live' : 'restart',
    ...(environmentOnly === true ? ['environment'] : []),
    ...(secret === true ? ['secret'] : []),
  ];
  const cells = [`\`${key}\``, shownDefault(key), kind.allowed, readers(key), notes.join(', '), meaning];
  return `| ${cells.join(' | ')} |`;
}

function readers(key: SettingKey): string {
  const services = readersOf(key);
  return services.length === SERVICES.length ? 'all' : services.join(', ');
}

function shownDefault(key: SettingKey): string {
  const { default: fallback } = settingOf(key);
  if (fallback === undefined) return '-';
  if (typeof fallback === 'object')
    return Object.entries(fallback)
      .map(([service, value]) => `${service} \`${value}\``)
      .join(', ');
  return fallback === '' ? 'empty' : `\`${fallback}\``;
}

if (import.meta.main) process.stdout.write(settingsDocument());
