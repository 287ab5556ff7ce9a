import { Monitor, Moon, Sun } from 'lucide-react';
import { setTheme, useTheme, type Theme } from '../lib/theme';
import styles from './ThemeSwitch.module.css';

const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const icons = { system: Monitor, light: Sun, dark: Moon };
const names: Record<Theme, string> = {
  system: 'colours follow the system',
  light: 'light colours',
  dark: 'dark colours',
};

/** Goes round: as the system has it, light, dark. */
export function ThemeSwitch() {
  const theme = useTheme();
  const Icon = icons[theme];
  return (
    <button
      type="button"
      className={styles.switch}
      aria-label={`Theme: ${names[theme]}. Change to ${names[next[theme]]}`}
      title={`Theme: ${names[theme]}`}
      onClick={() => {
        setTheme(next[theme]);
      }}
    >
      <Icon size={17} aria-hidden="true" />
    </button>
  );
}
