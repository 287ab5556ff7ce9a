import styles from './AlertDialog.module.css';
import { thresholdsOf, type RuleForm } from './form';

type Key = 'offlineAfter' | 'rejectPercent' | 'rejectWindow' | 'rejectShares' | 'minDifficulty';

/** The numbers that the chosen events depend on. */
export function Thresholds(props: {
  form: RuleForm;
  onChange: (change: Partial<RuleForm>) => void;
}) {
  const { form, onChange } = props;
  const need = thresholdsOf(form.events);
  const field = (key: Key, label: string, unit: string) => (
    <label>
      {label}
      <span className={styles.unit}>
        <input
          inputMode="decimal"
          autoComplete="off"
          value={form[key]}
          onChange={(event) => {
            onChange({ [key]: event.target.value });
          }}
        />
        {unit}
      </span>
    </label>
  );
  if (!need.offline && !need.rejects && !need.best) return null;
  return (
    <div className={styles.thresholds}>
      {need.offline && field('offlineAfter', 'Offline after', 'min')}
      {need.rejects && field('rejectPercent', 'Rejected, at least', '%')}
      {need.rejects && field('rejectWindow', 'Counted over', 'min')}
      {need.rejects && field('rejectShares', 'Of at least', 'shares')}
      {need.best && field('minDifficulty', 'Best share from difficulty', '')}
    </div>
  );
}
