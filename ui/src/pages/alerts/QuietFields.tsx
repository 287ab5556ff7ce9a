import { useMemo } from 'react';
import type { QuietHours } from '../../api/alerts';
import styles from './AlertDialog.module.css';

interface QuietFieldsProps {
  value: QuietHours | undefined;
  onChange: (value: QuietHours | undefined) => void;
}

/** The night, in the reader's own time zone, as a beginning. */
function usual(): QuietHours {
  return { from: '22:00', to: '07:00', zone: ownZone(), blocks: true };
}

function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Hours in which a channel holds messages back. */
export function QuietFields({ value, onChange }: QuietFieldsProps) {
  const zones = useMemo(() => zonesWith(value?.zone), [value?.zone]);
  return (
    <fieldset className={styles.group}>
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={value !== undefined}
          onChange={(event) => {
            onChange(event.target.checked ? usual() : undefined);
          }}
        />
        Quiet hours
      </label>
      {value && (
        <>
          <div className={styles.row}>
            <label>
              From
              <input
                type="time"
                required
                value={value.from}
                onChange={(event) => {
                  onChange({ ...value, from: event.target.value });
                }}
              />
            </label>
            <label>
              To
              <input
                type="time"
                required
                value={value.to}
                onChange={(event) => {
                  onChange({ ...value, to: event.target.value });
                }}
              />
            </label>
            <label className={styles.wide}>
              Time zone
              <select
                value={value.zone}
                onChange={(event) => {
                  onChange({ ...value, zone: event.target.value });
                }}
              >
                {zones.map((zone) => (
                  <option key={zone} value={zone}>
                    {zone.replaceAll('_', ' ')}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <label className={styles.check}>
            <input
              type="checkbox"
              checked={value.blocks}
              onChange={(event) => {
                onChange({ ...value, blocks: event.target.checked });
              }}
            />
            Found blocks are told even then
          </label>
          <p className={styles.hint}>What happens meanwhile arrives when they are over.</p>
        </>
      )}
    </fieldset>
  );
}

/** All time zones that the browser knows, the one that is set included. */
function zonesWith(set: string | undefined): string[] {
  const zones = new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), ownZone()]);
  if (set !== undefined && set !== '') zones.add(set);
  return [...zones].sort();
}
