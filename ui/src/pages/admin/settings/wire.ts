import type { Form, Kind, Section, Setting, Value } from './model';

/** A key as GET /api/admin/settings has it. */
interface WireKey {
  /** With * for the number that a repeated section does not have yet. */
  key: string;
  doc: string;
  type: 'string' | 'number' | 'integer' | 'bool' | 'duration' | 'list' | 'choice' | 'secret';
  unit?: string;
  choices?: (string | number)[];
  min?: number;
  max?: number;
  default?: Value;
  /** In force. */
  value?: Value;
  /** In the file. */
  file?: Value;
  in_file: boolean;
  /** Of a secret: there is one. */
  set?: boolean;
  origin: { kind: 'default' | 'file' | 'env' | 'flag' | ''; source?: string; line?: number };
  locked?: string;
  live: boolean;
  dangerous: boolean;
}

/** GET /api/admin/settings. */
export interface WireForm {
  file: string;
  writable: boolean;
  reason?: string;
  base: string;
  problems: WireProblem[];
  /** Keys of the file that wait for a reload, and for a restart. */
  unread: string[];
  waiting: string[];
  sections: {
    name: string;
    doc: string;
    repeated: boolean;
    keys: WireKey[];
    entries?: { number: number; in_file: boolean; keys: WireKey[] }[];
  }[];
}

/** A mistake in the configuration. */
export interface WireProblem {
  source?: string;
  line?: number;
  key?: string;
  message: string;
}

const KINDS: Record<Exclude<WireKey['type'], 'choice'>, Kind> = {
  string: 'string',
  number: 'float',
  integer: 'int',
  bool: 'bool',
  duration: 'duration',
  list: 'list',
  secret: 'secret',
};

/** What a key is where nobody says anything. */
const NOTHING: Record<Kind, Value> = {
  string: '',
  float: 0,
  int: 0,
  bool: false,
  duration: '',
  list: [],
  secret: '',
};

/** The form of what the server says. */
export function toForm(wire: WireForm): Form {
  // Without a file nothing can be taken out of it: what is in force is all there is.
  const setting = (key: WireKey, whole: boolean) =>
    toSetting(key, whole && wire.file !== '', {
      reload: new Set(wire.unread),
      restart: new Set(wire.waiting),
    });
  const sections = wire.sections.flatMap((section): Section[] => {
    const { name, doc, repeated } = section;
    if (!repeated) {
      const settings = section.keys.map((key) => setting(key, true));
      const inFile = section.keys.some((key) => key.in_file);
      return [{ path: name, name, doc, repeated, inFile, settings }];
    }
    return (section.entries ?? []).map((entry) => ({
      path: `${name}.${entry.number}`,
      name,
      doc,
      repeated,
      inFile: entry.in_file,
      settings: entry.keys.map((key) => setting(key, entry.in_file)),
    }));
  });
  const templates = wire.sections
    .filter((section) => section.repeated)
    .map(({ name, doc, keys }) => ({
      name,
      doc,
      settings: keys.map((key) => setting(key, true)),
    }));
  return {
    file: wire.file,
    readOnly: wire.writable ? '' : (wire.reason ?? 'the file cannot be written'),
    base: wire.base,
    problems: wire.problems.map(problemText),
    sections,
    templates,
  };
}

/** A mistake in words, with its place. */
export function problemText({ source, line, key, message }: WireProblem): string {
  const place = [source, line === undefined || line === 0 ? undefined : `line ${line}`]
    .filter((part) => part !== undefined && part !== '')
    .join(', ');
  return [place, key, message].filter((part) => part !== undefined && part !== '').join(': ');
}

/**
 * `whole`: what is not in the file has its default. Otherwise the section is
 * not in the file at all, or there is no file, and what is in force is what it is.
 */
function toSetting(
  key: WireKey,
  whole: boolean,
  waiting: Record<'reload' | 'restart', ReadonlySet<string>>,
): Setting {
  const kind = key.type === 'choice' ? choiceKind(key) : KINDS[key.type];
  const standard = key.default ?? NOTHING[kind];
  const locked = key.locked ?? '';
  const inForce = key.value ?? standard;
  const waits = (['reload', 'restart'] as const).find((what) => waiting[what].has(key.key));
  return {
    key: key.key,
    kind,
    doc: key.doc,
    default: standard,
    value:
      key.in_file && locked === ''
        ? (key.file ?? inForce)
        : locked === '' && whole
          ? standard
          : inForce,
    from: fromWords(key, standard),
    inFile: key.in_file,
    isOwn: key.in_file || locked !== '' || (!whole && !isSame(inForce, standard)),
    locked,
    live: key.live,
    dangerous: key.dangerous,
    ...(waits && { waits }),
    ...(key.choices && { choices: key.choices.map(String) }),
    ...(key.min !== undefined && { min: key.min }),
    ...(key.max !== undefined && { max: key.max }),
    ...(key.unit !== undefined && { unit: key.unit }),
    ...(kind === 'secret' && { isSet: key.set === true }),
  };
}

function choiceKind(key: WireKey): Kind {
  return key.choices?.every((choice) => typeof choice === 'number') === true ? 'int' : 'string';
}

function isSame(a: Value, b: Value): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Where the value in force comes from. */
function fromWords(key: WireKey, fallback: Value): string {
  const { origin, in_file: inFile, value } = key;
  switch (origin.kind) {
    case 'file':
      return origin.line === undefined || origin.line === 0
        ? 'From the file'
        : `From line ${origin.line} of the file`;
    case 'env':
      return `From the environment variable ${origin.source ?? ''}`;
    case 'flag':
      return `From the command line, ${origin.source ?? ''}`;
    default:
      if (inFile) return 'In the file';
      return isSame(value ?? fallback, fallback) ? 'Default' : 'Chosen by poolscope';
  }
}
