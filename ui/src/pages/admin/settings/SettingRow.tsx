import { RotateCcw, Undo2 } from 'lucide-react';
import { memo, useId } from 'react';
import { Button } from '../../../components/Button';
import { Pill } from '../../../components/Pill';
import { sentence } from '../../../lib/format';
import { Control } from './Control';
import { RESET, toEntry, type Entry, type Setting } from './model';
import styles from './SettingsPage.module.css';

interface SettingRowProps {
  setting: Setting;
  /** What was entered; undefined while it is as it was. */
  entry: Entry | undefined;
  problem: string | undefined;
  readOnly: boolean;
  onEntry: (entry: Entry) => void;
}

/** One setting: what it is for, its value, and where that comes from. */
export const SettingRow = memo(
  function SettingRow({ setting, entry, problem, readOnly, onEntry }: SettingRowProps) {
    const id = useId();
    const name = setting.key.slice(setting.key.lastIndexOf('.') + 1);
    const fixed = setting.locked !== '';
    const reset = entry === RESET;
    const now = reset
      ? toEntry(setting.kind, setting.default)
      : (entry ?? toEntry(setting.kind, setting.value));
    return (
      <div
        className={styles.row}
        data-changed={entry !== undefined}
        data-problem={problem !== undefined}
      >
        <div className={styles.words}>
          <p className={styles.key}>
            <label htmlFor={id}>
              <code title={setting.key}>{name}</code>
            </label>
            <Pill tone={setting.live ? 'good' : 'neutral'}>
              {setting.live ? 'at once' : 'needs a restart'}
            </Pill>
            {setting.waits && (
              <Pill tone="warn">
                {setting.waits === 'restart' ? 'waits for a restart' : 'waits to be read'}
              </Pill>
            )}
          </p>
          <p id={`${id}-doc`} className={styles.doc}>
            {setting.doc.replaceAll('\n', ' ')}
          </p>
        </div>
        <div className={styles.value}>
          <Control
            id={id}
            setting={setting}
            entry={now}
            reset={reset}
            disabled={fixed || readOnly}
            invalid={problem !== undefined}
            describedBy={`${id}-doc ${id}-meta ${id}-problem`}
            onEntry={onEntry}
          />
          <p id={`${id}-problem`} className={styles.problem} aria-live="polite">
            {problem}
          </p>
          <p className={styles.meta}>
            <span id={`${id}-meta`}>{sourceWords(setting, entry)}</span>
            {!fixed && !readOnly && entry !== undefined && (
              <Button
                small
                aria-label={`Undo the change of ${setting.key}`}
                onClick={() => {
                  onEntry(setting.kind === 'secret' ? '' : toEntry(setting.kind, setting.value));
                }}
              >
                <Undo2 size={13} aria-hidden="true" />
                Undo
              </Button>
            )}
            {!fixed && !readOnly && !reset && setting.inFile && (
              <Button
                small
                aria-label={
                  setting.kind === 'secret' ? `Remove ${setting.key}` : `Default of ${setting.key}`
                }
                onClick={() => {
                  onEntry(RESET);
                }}
              >
                <RotateCcw size={13} aria-hidden="true" />
                {setting.kind === 'secret' ? 'Remove' : 'Default'}
              </Button>
            )}
          </p>
        </div>
      </div>
    );
  },
  // The function that takes entries is another one each time, and does the same.
  (a, b) =>
    a.setting === b.setting &&
    a.entry === b.entry &&
    a.problem === b.problem &&
    a.readOnly === b.readOnly,
);

/** Where a value comes from, and what it would be otherwise. */
function sourceWords(setting: Setting, entry: Entry | undefined): string {
  const secret = setting.kind === 'secret';
  if (setting.locked !== '') return sentence(setting.locked);
  if (entry === RESET) return secret ? 'Leaves the file' : 'Goes back to its default';
  const range = rangeWords(setting);
  const other = secret ? '' : `; default ${words(setting, setting.default)}`;
  if (entry !== undefined) {
    return (secret ? 'Changed' : `Was ${words(setting, setting.value)}${other}`) + range;
  }
  return setting.from + (setting.inFile ? other : '') + range;
}

function rangeWords({ min, max }: Setting): string {
  if (min !== undefined && max !== undefined) return `; from ${min} to ${max}`;
  if (min !== undefined && min > 0) return `; at least ${min}`;
  return max === undefined ? '' : `; at most ${max}`;
}

function words(setting: Setting, value: Setting['value']): string {
  const entry = toEntry(setting.kind, value);
  if (typeof entry === 'boolean') return entry ? 'on' : 'off';
  if (entry === '') return setting.kind === 'list' ? 'an empty list' : 'empty';
  return entry.replaceAll('\n', ', ');
}
