import type { Agent } from '../../../scope/types';

/** Where regions are, as cloud providers and people name them: degrees east and north. */
const PLACES: Record<string, readonly [east: number, north: number]> = {
  us: [-98, 39],
  'us-east': [-78, 38],
  'us-west': [-121, 40],
  'us-central': [-95, 41],
  'us-south': [-97, 31],
  'us-north': [-93, 45],
  ca: [-79, 45],
  'ca-central': [-74, 45.5],
  'ca-east': [-71, 47],
  'ca-west': [-114, 51],
  mx: [-100, 21],
  sa: [-47, -23],
  'sa-east': [-47, -23],
  'sa-west': [-71, -33],
  br: [-47, -23],
  eu: [10, 50],
  'eu-west': [-6, 53],
  'eu-central': [9, 50],
  'eu-north': [18, 59],
  'eu-south': [9, 45.5],
  'eu-east': [21, 52],
  uk: [-0.1, 51.5],
  de: [9, 50],
  fr: [2.4, 48.9],
  nl: [5, 52],
  fi: [25, 60],
  af: [28, -26],
  'af-south': [18.4, -34],
  'af-north': [31, 30],
  'af-east': [37, -1],
  'af-west': [3.4, 6.5],
  me: [55, 25],
  'me-south': [50.6, 26],
  'me-central': [55, 24.5],
  'me-west': [35, 32],
  il: [35, 32],
  ap: [104, 1.4],
  'ap-south': [73, 19],
  'ap-southeast': [104, 1.4],
  'ap-southeast-2': [151, -34],
  'ap-southeast-3': [107, -6],
  'ap-southeast-4': [145, -38],
  'ap-northeast': [140, 36],
  'ap-northeast-2': [127, 37.5],
  'ap-east': [114, 22],
  au: [151, -34],
  nz: [175, -37],
  jp: [140, 36],
  kr: [127, 37.5],
  sg: [104, 1.4],
  hk: [114, 22],
  in: [73, 19],
  cn: [116, 40],
  'cn-north': [116, 40],
  'cn-east': [121, 31],
};

/** Other words for the beginnings of names. */
const ALIASES: readonly (readonly [RegExp, string])[] = [
  [/^(europe|emea)\b/, 'eu'],
  [/^(asia|apac)\b/, 'ap'],
  [/^(north-?america|usa)\b/, 'us'],
  [/^south-?america\b/, 'sa'],
  [/^africa\b/, 'af'],
  [/^(middle-?east)\b/, 'me'],
  [/^canada\b/, 'ca'],
  [/^australia\b/, 'au'],
  [/^japan\b/, 'jp'],
];

/**
 * Where a region is, from the most of its name that is known: `us-west-2a` is at
 * `us-west`. Undefined for names that nobody knows.
 */
export function placeOf(region: string): readonly [east: number, north: number] | undefined {
  let name = region
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-')
    .slice(0, 64);
  for (const [word, short] of ALIASES) name = name.replace(word, short);
  // `us-west2` and `us-west-2a` are written both ways.
  name = name.replace(/([a-z])(\d)/, '$1-$2').replace(/(\d)[a-z]$/, '$1');
  for (; name !== ''; name = name.slice(0, Math.max(name.lastIndexOf('-'), 0))) {
    if (Object.hasOwn(PLACES, name)) return PLACES[name];
  }
  return undefined;
}

export interface Region {
  /** As the agents say; '' when they do not. */
  name: string;
  place: readonly [east: number, north: number] | undefined;
  live: number;
  silent: number;
}

/** The regions of the agents, by name. */
export function regionsOf(agents: readonly Agent[]): Region[] {
  const regions = new Map<string, Region>();
  for (const { report, state } of agents) {
    const name = report?.region ?? '';
    const region = regions.get(name) ?? { name, place: placeOf(name), live: 0, silent: 0 };
    region[state]++;
    regions.set(name, region);
  }
  return [...regions.values()].sort((a, b) => a.name.localeCompare(b.name));
}
