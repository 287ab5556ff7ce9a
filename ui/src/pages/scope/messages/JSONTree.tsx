import styles from './JSONTree.module.css';

/** Members of one object or list that are drawn. */
const MOST = 200;

/** A JSON value as a tree; its branches fold, by keyboard as well. */
export function JSONTree({ value, name }: { value: unknown; name?: string }) {
  if (typeof value !== 'object' || value === null) {
    return (
      <div className={styles.leaf}>
        {name !== undefined && <span className={styles.name}>{name}</span>}
        <Scalar value={value} />
      </div>
    );
  }
  const entries: [string, unknown][] = Object.entries(value);
  const count = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  const branches = entries
    .slice(0, MOST)
    .map(([key, member]) => <JSONTree key={key} name={key} value={member} />);
  if (name === undefined) return <div className={styles.tree}>{branches}</div>;
  return (
    <details className={styles.branch} open={entries.length <= 20}>
      <summary>
        <span className={styles.name}>{name}</span> <span className={styles.count}>{count}</span>
      </summary>
      <div className={styles.inside}>
        {branches}
        {entries.length > MOST && <p className={styles.count}>and {entries.length - MOST} more</p>}
      </div>
    </details>
  );
}

function Scalar({ value }: { value: unknown }) {
  return (
    <code className={styles.value} data-type={value === null ? 'null' : typeof value}>
      {JSON.stringify(value)}
    </code>
  );
}
