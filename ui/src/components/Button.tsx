import type { ComponentProps } from 'react';
import styles from './Button.module.css';

type ButtonProps = Omit<ComponentProps<'button'>, 'className'> & {
  tone?: 'plain' | 'primary' | 'danger';
  small?: boolean;
};

/** A button with a border; `danger` for what cannot be taken back. */
export function Button({ tone = 'plain', small = false, type, ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type ?? 'button'}
      className={styles.button}
      data-tone={tone}
      data-small={small}
    />
  );
}
