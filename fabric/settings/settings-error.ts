/** The failure that stops a start: a setting that is unknown, missing or wrong. */

/** Says in one sentence which setting is at fault, where it was given and what is allowed; shows no secret. */
export class SettingsError extends Error {
  /** The key, or the environment variable when it stands for none. */
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.name = 'SettingsError';
    this.key = key;
  }
}
