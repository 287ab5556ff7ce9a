import styles from './Switch.module.css';

interface SwitchProps {
  /** What it switches. */
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

/** On or off, at once. */
export function Switch({ label, checked, disabled = false, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      aria-label={label}
      title={label}
      disabled={disabled}
      className={styles.switch}
      onClick={() => {
        onChange(!checked);
      }}
    >
      <span aria-hidden="true" />
    </button>
  );
}
