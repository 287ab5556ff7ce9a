/**
 * The settings as a form: what each key is, how its value is written by people,
 * and what of it was changed.
 */

export type Kind = 'bool' | 'int' | 'float' | 'duration' | 'string' | 'list' | 'secret';

/** A value as the API has it: durations are texts such as "15m0s". */
export type Value = boolean | number | string | readonly string[];

export interface Setting {
  /** "http.listen", "node.2.url". */
  key: string;
  kind: Kind;
  /** What the configuration file's comments say about it. */
  doc: string;
  default: Value;
  /** What the file says, or would say: what is edited. */
  value: Value;
  /** Where the value in force comes from, in words. */
  from: string;
  /** The file has it. */
  inFile: boolean;
  /** It is not as it comes, wherever that is from. */
  isOwn: boolean;
  /** Why the file cannot change it; '' when it can. */
  locked: string;
  /** A running program takes another value at once; others wait for its next start. */
  live: boolean;
  /** What the file says is not in force yet: it waits for that. */
  waits?: 'reload' | 'restart';
  /** A mistake keeps miners, operators or money away. */
  dangerous: boolean;
  /** All that it may be, where that is a few. */
  choices?: readonly string[];
  /** Least and most, where there are any. */
  min?: number;
  max?: number;
  unit?: string;
  /** A secret that is there, though nobody sees it. */
  isSet?: boolean;
}

export interface Section {
  /** "http", "node.2"; "" for what is in none. */
  path: string;
  /** "http", "node". */
  name: string;
  doc: string;
  /** It may be there more than once, or not at all. */
  repeated: boolean;
  /** Some of it is in the file. */
  inFile: boolean;
  settings: readonly Setting[];
}

/** A kind of section that another one can be added of. */
export interface Template {
  name: string;
  doc: string;
  /** Keys of the one that would come next, with their defaults. */
  settings: readonly Setting[];
}

export interface Form {
  /** The file that is changed; '' when there is none. */
  file: string;
  /** Why nothing can be changed; '' when it can. */
  readOnly: string;
  /** SHA-256 of the file as it was read. */
  base: string;
  /** Why the file as it is would not be taken. */
  problems: readonly string[];
  sections: readonly Section[];
  templates: readonly Template[];
}

/** The default shall be in force again: the key leaves the file. */
export const RESET = Symbol('reset');

/** What somebody entered, as it is being edited: numbers and durations are texts, lists have a line each. */
export type Entry = boolean | string | typeof RESET;

/** All that was entered and not saved. */
export interface Draft {
  entries: ReadonlyMap<string, Entry>;
  /** Repeated sections that shall go, "node.2". */
  removed: ReadonlySet<string>;
  /** Repeated sections that were added, "node.3". */
  added: readonly string[];
}

export const EMPTY: Draft = { entries: new Map(), removed: new Set(), added: [] };

/** A value as it is edited. */
export function toEntry(kind: Kind, value: Value): boolean | string {
  if (kind === 'bool') return value === true;
  if (kind === 'secret') return '';
  if (kind === 'duration') return shortDuration(String(value));
  if (kind === 'float') return typeof value === 'number' ? plainNumber(value) : String(value);
  return typeof value === 'object' ? value.join('\n') : String(value);
}

/** What an entry means, or why it means nothing. */
export type Parsed = { value: Value } | { problem: string };

export function parseEntry(kind: Kind, entry: boolean | string): Parsed {
  if (typeof entry === 'boolean') return { value: entry };
  const text = entry.trim();
  switch (kind) {
    case 'bool':
      return { value: text === 'true' };
    case 'int':
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text))
        ? { value: Number(text) }
        : { problem: 'Must be a whole number.' };
    case 'float':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text))
        ? { value: Number(text) }
        : { problem: 'Must be a number.' };
    case 'duration':
      return parseDuration(text) === undefined
        ? { problem: 'Must be a duration such as 30s, 15m or 24h.' }
        : { value: text };
    case 'list':
      return {
        value: entry
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== ''),
      };
    case 'string':
      return { value: text };
    case 'secret':
      return { value: entry };
  }
}

/** All digits of a number, without an exponent where one can do without. */
function plainNumber(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(20).replace(/0+$/, '');
}

const UNITS: Record<string, number> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** Seconds of a Go duration, "1h30m", "" and "0" being none; undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  if (text === '' || text === '0') return 0;
  if (!/^[+-]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(digits) * (UNITS[unit ?? ''] ?? NaN);
  }
  return text.startsWith('-') ? -sum : sum;
}

/** A duration without what says nothing: "15m0s" is "15m", "24h0m0s" is "24h". */
export function shortDuration(text: string): string {
  if (text === '0s') return '0';
  return text.replace(/([hm])0s$/, '$1').replace(/(h)0m$/, '$1');
}

function sameValue(kind: Kind, a: Value, b: Value): boolean {
  if (kind === 'duration') return parseDuration(String(a)) === parseDuration(String(b));
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Whether what was entered for a setting would change it. */
export function isChanged(setting: Setting, draft: Draft): boolean {
  const entry = draft.entries.get(setting.key);
  if (entry === undefined) return false;
  if (entry === RESET) return setting.inFile;
  if (setting.kind === 'secret') return entry !== '';
  const parsed = parseEntry(setting.kind, entry);
  return 'problem' in parsed || !sameValue(setting.kind, parsed.value, setting.value);
}

/** A draft with an entry; one that would change nothing is not kept. */
export function enter(draft: Draft, setting: Setting, entry: Entry): Draft {
  const entries = new Map(draft.entries).set(setting.key, entry);
  const next = { ...draft, entries };
  if (!isChanged(setting, next)) entries.delete(setting.key);
  return next;
}

/** The number at the end of "node.3". */
function numberOf(path: string): number {
  return Number(path.slice(path.lastIndexOf('.') + 1));
}

/** A draft with one more section of a kind. */
export function addSection(form: Form, draft: Draft, name: string): Draft {
  const taken = [...form.sections.filter((s) => s.repeated).map((s) => s.path), ...draft.added]
    .filter((path) => path.startsWith(`${name}.`))
    .map(numberOf);
  return { ...draft, added: [...draft.added, `${name}.${Math.max(0, ...taken) + 1}`] };
}

/** A draft without a section: one that was only added goes for good, the others are marked. */
export function removeSection(draft: Draft, path: string): Draft {
  const entries = new Map([...draft.entries].filter(([key]) => !key.startsWith(`${path}.`)));
  if (!draft.added.includes(path)) {
    return { ...draft, entries, removed: new Set([...draft.removed, path]) };
  }
  // Those behind it move up, since numbers must have no holes.
  const name = path.slice(0, path.lastIndexOf('.'));
  const number = numberOf(path);
  const moved = (key: string) => {
    const [, at, rest = ''] = new RegExp(`^${name}\\.(\\d+)(\\..*)?$`).exec(key) ?? [];
    return at !== undefined && Number(at) > number ? `${name}.${Number(at) - 1}${rest}` : key;
  };
  return {
    ...draft,
    entries: new Map([...entries].map(([key, entry]) => [moved(key), entry])),
    added: draft.added.filter((p) => p !== path).map(moved),
  };
}

export function keepSection(draft: Draft, path: string): Draft {
  return { ...draft, removed: new Set([...draft.removed].filter((p) => p !== path)) };
}

/**
 * What of a draft fits a form that was read anew. Where repeated sections came
 * or went meanwhile, their numbers mean something else now.
 */
export function carryOver(before: Form, draft: Draft, form: Form): Draft {
  const paths = (of: Form) => JSON.stringify(of.sections.map((section) => section.path));
  const moved = paths(before) !== paths(form);
  const kept = { ...draft, ...(moved && { removed: new Set<string>(), added: [] }) };
  const known = new Map(
    allSections(form, kept)
      .filter((section) => !moved || !section.repeated)
      .flatMap((section) => section.settings)
      .map((setting) => [setting.key, setting]),
  );
  let next: Draft = { ...kept, entries: new Map() };
  for (const [key, entry] of draft.entries) {
    const setting = known.get(key);
    if (setting?.locked === '') next = enter(next, setting, entry);
  }
  return next;
}

/** The sections of the form and those that were added, each kind together. */
export function allSections(form: Form, draft: Draft): readonly Section[] {
  const all: Section[] = [];
  for (const section of form.sections) all.push(section);
  for (const path of draft.added) {
    const name = path.slice(0, path.lastIndexOf('.'));
    const template = form.templates.find((t) => t.name === name);
    if (!template) continue;
    const settings = template.settings.map((s) => ({
      ...s,
      key: `${path}.${s.key.slice(s.key.lastIndexOf('.') + 1)}`,
    }));
    const section = { path, name, doc: template.doc, repeated: true, inFile: false, settings };
    const before = all.findLastIndex((s) => s.name === name);
    if (before < 0) all.push(section);
    else all.splice(before + 1, 0, section);
  }
  return all;
}

/** What is to be saved: a value for each key, null where it leaves the file. */
export type Changes = Record<string, Value | null>;

/** The changes of a draft, and what of it cannot be understood, by key. */
export function changesOf(
  form: Form,
  draft: Draft,
): { changes: Changes; problems: ReadonlyMap<string, string> } {
  const changes: Changes = {};
  const problems = new Map<string, string>();
  for (const section of allSections(form, draft)) {
    if (draft.removed.has(section.path)) {
      changes[section.path] = null;
      continue;
    }
    let some = false;
    const whole = section.repeated && !section.inFile && isTouched(section, draft);
    for (const setting of section.settings) {
      const entry = draft.entries.get(setting.key);
      if (entry === undefined || !isChanged(setting, draft)) {
        // One that comes by itself goes once the file has any: it is written down then.
        if (whole && needsWriting(setting)) changes[setting.key] = setting.value;
        continue;
      }
      some = true;
      if (entry === RESET) {
        changes[setting.key] = null;
        continue;
      }
      const parsed = parseEntry(setting.kind, entry);
      if ('problem' in parsed) problems.set(setting.key, parsed.problem);
      else changes[setting.key] = parsed.value;
    }
    const first = section.settings[0];
    if (!some && first && draft.added.includes(section.path)) {
      problems.set(first.key, 'Nothing is entered here yet: fill it in, or take it away.');
    }
  }
  return { changes, problems };
}

/** Whether a section that is not in the file must be in it for a draft. */
function isTouched(section: Section, draft: Draft): boolean {
  return (
    draft.added.some((path) => path.startsWith(`${section.name}.`)) ||
    section.settings.some((setting) => isChanged(setting, draft))
  );
}

function needsWriting(setting: Setting): boolean {
  return (
    setting.locked === '' &&
    setting.kind !== 'secret' &&
    !sameValue(setting.kind, setting.value, setting.default)
  );
}

/** How much of a draft would change something. */
export function countChanges(draft: Draft): number {
  return draft.entries.size + draft.removed.size + draft.added.length;
}

/** What of the settings is to be seen. */
export interface View {
  text: string;
  changedOnly: boolean;
}

/** The sections with the settings that fit: all words in the key or its description. */
export function filterSections(
  sections: readonly Section[],
  draft: Draft,
  view: View,
): readonly Section[] {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0 && !view.changedOnly) return sections;
  return sections
    .map((section) => ({
      ...section,
      settings: section.settings.filter((setting) => {
        const marked = draft.removed.has(section.path) || draft.added.includes(section.path);
        const own = marked || setting.isOwn || draft.entries.has(setting.key);
        if (view.changedOnly && !own) return false;
        const all = `${setting.key} ${setting.doc}`.toLowerCase();
        return words.every((word) => all.includes(word));
      }),
    }))
    .filter((section) => section.settings.length > 0);
}
