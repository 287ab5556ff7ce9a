import { formatCount, plural } from '../../../lib/format';
import type { Agent } from '../../../scope/types';
import { CONTINENTS } from './continents';
import { regionsOf, type Region } from './regions';
import styles from './WorldMap.module.css';

/** Where the agents say that they are. The list says the same as the map, and more. */
export function WorldMap({ agents }: { agents: readonly Agent[] }) {
  const regions = regionsOf(agents);
  return (
    <div className={styles.map}>
      {/* East and north in degrees, the poles left out; north is up by turning the sign. */}
      <svg viewBox="-170 -80 352 138" aria-hidden="true" className={styles.world}>
        <g transform="scale(1,-1)">
          {CONTINENTS.map((points) => (
            <polygon key={points} points={points} />
          ))}
          {regions.map(
            (r) =>
              r.place && (
                <circle
                  key={r.name}
                  cx={r.place[0]}
                  cy={r.place[1]}
                  r={3 + Math.min(Math.log2(r.live + r.silent), 4)}
                  data-live={r.live > 0}
                />
              ),
          )}
        </g>
      </svg>
      <ul className={styles.regions} aria-label="Regions">
        {regions.map((r) => (
          <li key={r.name}>
            <i data-live={r.live > 0} data-mapped={r.place !== undefined} aria-hidden="true" />
            <span className={styles.name}>{r.name === '' ? 'No region told' : r.name}</span>
            <span className={styles.count}>{countText(r)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function countText({ name, place, live, silent }: Region): string {
  const parts = [plural(live + silent, 'agent')];
  if (silent > 0) parts.push(`${formatCount(silent)} silent`);
  if (place === undefined && name !== '') parts.push('not on the map');
  return parts.join(', ');
}
