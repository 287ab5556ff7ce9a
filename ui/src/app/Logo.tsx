/** A scope's screen with a pulse on it. */
export function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" fill="none" aria-hidden="true">
      <circle cx="16" cy="16" r="13" stroke="var(--line-strong)" strokeWidth="1.75" />
      <path
        d="M3 19.5h6.6V11h6.4v8.5h6.4v-4H29"
        stroke="var(--trace)"
        strokeWidth="2.5"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  );
}
