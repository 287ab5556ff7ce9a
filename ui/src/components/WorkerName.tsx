import { splitWorker } from '../lib/workerName';
import styles from './WorkerName.module.css';

/** `address.rig`, as censored by the server; the rig is what people know it by. */
export function WorkerName({ name }: { name: string }) {
  const { address, rig } = splitWorker(name);
  if (rig === undefined) return <span className={styles.name}>{name}</span>;
  return (
    <span className={styles.name} title={name}>
      <span className={styles.rig}>{rig}</span>
      <span className={styles.address}>{address}</span>
    </span>
  );
}
