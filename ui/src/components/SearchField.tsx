import type { ComponentProps, CSSProperties } from 'react';
import { Field } from './Field';
import styles from './SearchField.module.css';

interface SearchFieldProps extends Omit<
  ComponentProps<'input'>,
  'type' | 'className' | 'style' | 'width' | 'onChange'
> {
  /** What is searched, for screen readers. */
  label: string;
  value: string;
  /** Its width where there is room, px. */
  width?: number;
  onChange: (text: string) => void;
}

/** Where a reader types what to look for in a list. */
export function SearchField({ label, width = 320, onChange, ...rest }: SearchFieldProps) {
  return (
    <Field label={label} hidden>
      <input
        {...rest}
        type="search"
        className={styles.search}
        style={{ '--width': `${width}px` } as CSSProperties}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
    </Field>
  );
}
