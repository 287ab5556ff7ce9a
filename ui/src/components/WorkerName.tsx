import styles from './WorkerName.module.css';

/** `address.rig`, as censored by the server; the rig is what people know it by. */
export function WorkerName({ name }: { name: string }) {
  const dot = name.lastIndexOf('.');
  // Censored addresses contain dots themselves ("bc1qw508...kv8f3t4"); the rig
  // is what follows a single one.
  const hasRig = dot > 0 && name.charAt(dot - 1) !== '.';
  if (!hasRig) return <span className={styles.name}>{name}</span>;
  return (
    <span className={styles.name} title={name}>
      <span className={styles.rig}>{name.slice(rigStart(name))}</span>
      <span className={styles.address}>{name.slice(0, rigStart(name) - 1)}</span>
    </span>
  );
}

/** Where the rig's name begins: after the first dot that has no dot beside it. */
function rigStart(name: string): number {
  const match = /[^.]\.(?!\.)/.exec(name);
  return match ? match.index + 2 : 0;
}
