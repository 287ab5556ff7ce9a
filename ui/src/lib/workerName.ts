/** A worker's name as the server censored it, in its parts. */
export interface WorkerParts {
  /** The payout address, shortened. */
  address: string;
  /** The miner's own name; undefined where there is none. */
  rig: string | undefined;
}

/**
 * Takes `address.rig` apart. Censored addresses contain dots themselves
 * ("bc1qw508...kv8f3t4"): the rig is what follows the first single one.
 */
export function splitWorker(name: string): WorkerParts {
  const dot = /[^.]\.(?!\.)/.exec(name);
  if (!dot) return { address: name, rig: undefined };
  const rig = name.slice(dot.index + 2);
  return { address: name.slice(0, dot.index + 1), rig: rig === '' ? undefined : rig };
}
