import { Eye, EyeOff } from 'lucide-react';
import { useState, type ComponentProps } from 'react';
import styles from './PasswordInput.module.css';

type PasswordInputProps = Omit<ComponentProps<'input'>, 'type' | 'className' | 'autoComplete'> & {
  /** So that password managers know which one it is. */
  autoComplete: 'current-password' | 'new-password';
};

/** A password that may be looked at while it is typed. */
export function PasswordInput(props: PasswordInputProps) {
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <span className={styles.frame}>
      <input
        {...props}
        type={shown ? 'text' : 'password'}
        spellCheck={false}
        autoCapitalize="none"
      />
      <button
        type="button"
        aria-label="Show the password"
        aria-pressed={shown}
        title={shown ? 'Hide the password' : 'Show the password'}
        onClick={() => {
          setShown(!shown);
        }}
      >
        <Icon size={17} aria-hidden="true" />
      </button>
    </span>
  );
}
