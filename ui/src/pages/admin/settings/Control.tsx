import { useState } from 'react';
import { Button } from '../../../components/Button';
import { PasswordInput } from '../../../components/PasswordInput';
import { formatDuration } from '../../../lib/format';
import { parseDuration, type Entry, type Setting } from './model';
import styles from './SettingsPage.module.css';

interface ControlProps {
  id: string;
  setting: Setting;
  entry: boolean | string;
  /** It goes back to its default. */
  reset: boolean;
  disabled: boolean;
  invalid: boolean;
  describedBy: string;
  onEntry: (entry: Entry) => void;
}

/** The field of a setting, by its kind. */
export function Control(props: ControlProps) {
  const { id, setting, entry, disabled, invalid, describedBy, onEntry } = props;
  const common = {
    id,
    disabled,
    'aria-invalid': invalid,
    'aria-describedby': describedBy,
  };
  if (setting.kind === 'secret') return <SecretControl {...props} />;
  if (typeof entry === 'boolean') {
    return (
      <span className={styles.switch}>
        <input
          {...common}
          type="checkbox"
          role="switch"
          checked={entry}
          onChange={(event) => {
            onEntry(event.target.checked);
          }}
        />
        <span aria-hidden="true">{entry ? 'on' : 'off'}</span>
      </span>
    );
  }
  if (setting.choices) {
    const known = setting.choices.includes(entry);
    return (
      <select
        {...common}
        value={entry}
        onChange={(event) => {
          onEntry(event.target.value);
        }}
      >
        {(known ? setting.choices : [entry, ...setting.choices]).map((choice) => (
          <option key={choice} value={choice}>
            {choice === '' ? 'empty' : choice}
          </option>
        ))}
      </select>
    );
  }
  if (setting.kind === 'list') {
    return (
      <>
        <textarea
          {...common}
          rows={Math.min(Math.max(entry.split('\n').length, 1) + 1, 12)}
          value={entry}
          placeholder="one per line"
          autoCapitalize="off"
          spellCheck={false}
          onChange={(event) => {
            onEntry(event.target.value);
          }}
        />
        <span className={styles.unit}>one per line</span>
      </>
    );
  }
  const number = setting.kind === 'int' || setting.kind === 'float';
  const unit = unitOf(setting, entry);
  return (
    <span className={styles.input}>
      <input
        {...common}
        type="text"
        data-number={number || setting.kind === 'duration'}
        inputMode={setting.kind === 'int' ? 'numeric' : number ? 'decimal' : undefined}
        value={entry}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        onChange={(event) => {
          onEntry(event.target.value);
        }}
      />
      {unit !== '' && <span className={styles.unit}>{unit}</span>}
    </span>
  );
}

/** What stands behind a figure. */
function unitOf(setting: Setting, entry: string): string {
  if (setting.kind !== 'duration') return setting.unit ?? '';
  const seconds = parseDuration(entry.trim());
  return seconds === undefined || seconds < 60 ? '' : formatDuration(seconds);
}

/** A secret is never shown: it is there or not, and another one may be entered. */
function SecretControl(props: ControlProps) {
  const { id, setting, entry, reset, disabled, invalid, describedBy, onEntry } = props;
  const [open, setOpen] = useState(false);
  const text = typeof entry === 'string' ? entry : '';
  if (!open && text === '') {
    return (
      <span className={styles.secret}>
        <span>{reset ? 'goes' : setting.isSet === true ? 'is set' : 'not set'}</span>
        <Button
          small
          id={id}
          disabled={disabled}
          aria-describedby={describedBy}
          onClick={() => {
            setOpen(true);
          }}
        >
          {setting.isSet === true ? 'Replace' : 'Set'}
          <span className="visually-hidden"> {setting.key}</span>
        </Button>
      </span>
    );
  }
  return (
    <PasswordInput
      id={id}
      value={text}
      autoComplete="new-password"
      disabled={disabled}
      aria-invalid={invalid}
      aria-describedby={describedBy}
      // eslint-disable-next-line jsx-a11y/no-autofocus -- it takes the place of the button that was pressed
      autoFocus
      onBlur={() => {
        if (text === '') setOpen(false);
      }}
      onChange={(event) => {
        onEntry(event.target.value);
      }}
    />
  );
}
