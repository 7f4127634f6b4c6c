/** The settings that every local PostgreSQL runs with, on top of its own defaults. */

/** Durability stays as PostgreSQL has it: fsync, synchronous_commit and full_page_writes are on. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  // Queries here are short; compiling them costs more than running them.
  jit: 'off',
  log_timezone: 'UTC',
  // No value of a statement may reach the log: DETAIL lines and error statements show keys and passwords.
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_min_duration_statement: '-1',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_checkpoints: 'off',
};

/** The command line of a server on a cluster. */
export function serverArguments(cluster: string, port: number): string[] {
  const settings = Object.entries({ ...SETTINGS, port: String(port) });
  return ['-D', cluster, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
