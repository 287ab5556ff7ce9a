interface NameFieldProps {
  value: string;
  onChange: (name: string) => void;
}

/** The name of an account, which has the focus: whoever comes to such a form wants to fill it in. */
export function NameField({ value, onChange }: NameFieldProps) {
  return (
    <label>
      Name
      <input
        name="username"
        value={value}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        // eslint-disable-next-line jsx-a11y/no-autofocus -- the page is about nothing else
        autoFocus
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
    </label>
  );
}
