import styles from './AlertDialog.module.css';

interface ChecksProps {
  legend: string;
  options: readonly { value: string; label: string; title?: string; disabled?: boolean }[];
  chosen: ReadonlySet<string>;
  onChange: (value: string, on: boolean) => void;
  /** Side by side where there is room. */
  columns?: boolean;
  /** In a box of its own that scrolls, for many. */
  scroll?: boolean;
}

/** Any number of some options. */
export function Checks(props: ChecksProps) {
  const { legend, options, chosen, onChange, columns = false, scroll = false } = props;
  return (
    <fieldset className={styles.checks}>
      <legend>{legend}</legend>
      <div data-columns={columns} data-scroll={scroll}>
        {options.map((o) => (
          <label key={o.value} className={styles.check} title={o.title}>
            <input
              type="checkbox"
              checked={chosen.has(o.value)}
              disabled={o.disabled}
              onChange={(event) => {
                onChange(o.value, event.target.checked);
              }}
            />
            <span dir="auto">{o.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
