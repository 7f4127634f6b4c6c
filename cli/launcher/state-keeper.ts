/** Writes the state of a fabric whenever it changes, one write at a time. */
import { removeState, writeState } from './fabric-state.ts';
import type { FabricState } from './fabric-state.ts';

/** Keeps DATA/state.json up to date. */
export type StateKeeper = {
  /** The state has changed; it is written soon. */
  touch: () => void;
  /** Resolves when the last change stands in the file; rejects when it cannot be written. */
  written: () => Promise<void>;
  /** Removes the file; later changes are not written. */
  close: () => Promise<void>;
};

/** `snapshot` is asked at each write, so changes in quick succession share one. */
export function keepState(data: string, snapshot: () => FabricState): StateKeeper {
  let stale = false;
  let closed = false;
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    if (!stale || closed) return;
    stale = false;
    await writeState(data, snapshot());
  };
  const touch = (): void => {
    stale = true;
    writing = writing.then(write, write);
    // A full disk shows where somebody waits for the write; the fabric itself runs on.
    writing.catch(() => undefined);
  };
  return {
    touch,
    written: () => writing,
    close: async () => {
      closed = true;
      await writing.catch(() => undefined);
      await removeState(data);
    },
  };
}
