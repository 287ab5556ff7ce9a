import { expect, it } from 'vitest';
import {
  addSection,
  allSections,
  carryOver,
  changesOf,
  countChanges,
  EMPTY,
  enter,
  filterSections,
  keepSection,
  parseDuration,
  parseEntry,
  removeSection,
  RESET,
  shortDuration,
  toEntry,
  type Draft,
  type Entry,
  type Form,
  type Setting,
} from './model';

const setting = (key: string, more: Partial<Setting> = {}): Setting => ({
  key,
  kind: 'string',
  doc: `About ${key}.`,
  default: '',
  value: '',
  from: 'default',
  inFile: false,
  isOwn: false,
  locked: '',
  live: true,
  dangerous: false,
  ...more,
});

const inFile = { inFile: true, isOwn: true };

const node = (n: number): Setting[] => [
  setting(`node.${n}.url`, { ...inFile, value: `http://10.0.0.${n}:8332` }),
  setting(`node.${n}.password`, { kind: 'secret' }),
];

const form: Form = {
  file: 'poolscope.toml',
  readOnly: '',
  base: 'ab12',
  problems: [],
  sections: [
    {
      path: 'difficulty',
      name: 'difficulty',
      doc: 'How hard shares are.',
      repeated: false,
      inFile: true,
      settings: [
        setting('difficulty.start', { kind: 'float', default: 1024, value: 1024 }),
        setting('difficulty.vardiff', { kind: 'bool', default: true, value: true }),
      ],
    },
    {
      path: 'abuse',
      name: 'abuse',
      doc: '',
      repeated: false,
      inFile: true,
      settings: [
        setting('abuse.ban_time', { kind: 'duration', default: '15m0s', value: '15m0s' }),
        setting('abuse.trusted', { kind: 'list', default: [], value: ['10.0.0.0/8'] }),
        setting('abuse.ban_after', { kind: 'int', default: 5, value: 7, ...inFile }),
      ],
    },
    { path: 'node.1', name: 'node', doc: '', repeated: true, inFile: true, settings: node(1) },
    { path: 'node.2', name: 'node', doc: '', repeated: true, inFile: true, settings: node(2) },
    {
      path: 'log',
      name: 'log',
      doc: '',
      repeated: false,
      inFile: false,
      settings: [setting('log.file')],
    },
  ],
  templates: [
    {
      name: 'node',
      doc: '',
      settings: [setting('node.url'), setting('node.password', { kind: 'secret' })],
    },
  ],
};

const find = (key: string): Setting => {
  const sections = allSections(form, { ...EMPTY, added: ['node.3', 'node.4'] });
  const found = sections.flatMap((s) => s.settings).find((s) => s.key === key);
  if (!found) throw new Error(`no setting ${key}`);
  return found;
};

function drafted(entries: Record<string, Entry>, draft: Draft = EMPTY): Draft {
  return Object.entries(entries).reduce((d, [key, entry]) => enter(d, find(key), entry), draft);
}

const changes = (draft: Draft) => changesOf(form, draft).changes;

it('writes values as people edit them, and reads them back', () => {
  for (const [kind, value, entry] of [
    ['bool', true, true],
    ['int', 50_000, '50000'],
    ['float', 0.0001, '0.0001'],
    ['float', 1e21, '1000000000000000000000'],
    ['duration', '24h0m0s', '24h'],
    ['list', ['a', 'b'], 'a\nb'],
    ['string', 'x y', 'x y'],
  ] as const) {
    expect(toEntry(kind, value)).toBe(entry);
    const parsed = parseEntry(kind, entry);
    expect('value' in parsed && parsed.value).toEqual(kind === 'duration' ? '24h' : value);
  }
  expect(Number(toEntry('float', 0.000000125))).toBe(0.000000125);
});

it('says what cannot be understood', () => {
  for (const [kind, text] of [
    ['int', '1.5'],
    ['int', ''],
    ['int', '99999999999999999999'],
    ['float', 'NaN'],
    ['float', '0x10'],
    ['duration', '15 minutes'],
    ['duration', '15'],
  ] as const) {
    expect(parseEntry(kind, text), `${kind} ${text}`).toHaveProperty('problem');
  }
});

it('knows durations as Go writes them', () => {
  expect(parseDuration('1h30m')).toBe(5400);
  expect(parseDuration('1.5h')).toBe(5400);
  expect(parseDuration('250ms')).toBeCloseTo(0.25);
  expect(parseDuration('')).toBe(0);
  expect(parseDuration('-5m')).toBe(-300);
  expect(parseDuration('5')).toBeUndefined();
  expect(shortDuration('1h30m0s')).toBe('1h30m');
  expect(shortDuration('336h0m0s')).toBe('336h');
  expect(shortDuration('10m0s')).toBe('10m');
  expect(shortDuration('0s')).toBe('0');
  expect(shortDuration('1h0m5s')).toBe('1h0m5s');
});

it('sends only what is different, each in its type', () => {
  const draft = drafted({
    'difficulty.start': '2048.5',
    'difficulty.vardiff': false,
    'abuse.ban_time': '20m',
    'abuse.trusted': '10.0.0.0/8\n\n  192.0.2.0/24 ',
    'log.file': ' pool.log ',
  });
  expect(changes(draft)).toEqual({
    'difficulty.start': 2048.5,
    'difficulty.vardiff': false,
    'abuse.ban_time': '20m',
    'abuse.trusted': ['10.0.0.0/8', '192.0.2.0/24'],
    'log.file': 'pool.log',
  });
});

it('forgets an entry that is what it was', () => {
  const draft = drafted({ 'difficulty.start': '2048', 'abuse.ban_time': '900s' });
  expect(countChanges(draft)).toBe(1);
  expect(countChanges(enter(draft, find('difficulty.start'), '1024.0'))).toBe(0);
});

it('sends null for what goes back to its default', () => {
  expect(changes(drafted({ 'abuse.ban_after': RESET }))).toEqual({ 'abuse.ban_after': null });
});

it('keeps what cannot be understood out of what is sent, and says so', () => {
  const { changes: sent, problems } = changesOf(form, drafted({ 'abuse.ban_after': 'many' }));
  expect(sent).toEqual({});
  expect([...problems.keys()]).toEqual(['abuse.ban_after']);
});

it('sends a secret only when one was entered', () => {
  expect(changes(drafted({ 'node.1.password': 'hunter2 ' }))).toEqual({
    'node.1.password': 'hunter2 ',
  });
  expect(countChanges(drafted({ 'node.1.password': '' }))).toBe(0);
});

it('adds repeated sections behind those of their kind, numbered on', () => {
  const draft = addSection(form, addSection(form, EMPTY, 'node'), 'node');
  expect(allSections(form, draft).map((s) => s.path)).toEqual([
    'difficulty',
    'abuse',
    'node.1',
    'node.2',
    'node.3',
    'node.4',
    'log',
  ]);
  expect([...changesOf(form, draft).problems.keys()]).toEqual(['node.3.url', 'node.4.url']);
  const filled = drafted({ 'node.3.url': 'http://c', 'node.4.url': 'http://d' }, draft);
  expect(changes(filled)).toEqual({ 'node.3.url': 'http://c', 'node.4.url': 'http://d' });
  // The one behind takes its place.
  expect(changes(removeSection(filled, 'node.3'))).toEqual({ 'node.3.url': 'http://d' });
});

it('writes down a section that comes by itself once there is one in the file', () => {
  const alone: Form = {
    ...form,
    sections: [
      {
        path: 'node.1',
        name: 'node',
        doc: '',
        repeated: true,
        inFile: false,
        settings: [
          setting('node.1.url', { value: 'http://127.0.0.1:8332' }),
          setting('node.1.user'),
        ],
      },
    ],
  };
  const user = alone.sections[0]?.settings[1];
  if (!user) throw new Error('no setting');
  expect(changesOf(alone, enter(EMPTY, user, 'rpc')).changes).toEqual({
    'node.1.url': 'http://127.0.0.1:8332',
    'node.1.user': 'rpc',
  });
  const second = addSection(alone, EMPTY, 'node');
  expect(changesOf(alone, second).changes).toEqual({ 'node.1.url': 'http://127.0.0.1:8332' });
  expect(changesOf(alone, EMPTY).changes).toEqual({});
});

it('removes a section with all that was entered in it, and takes that back', () => {
  const draft = removeSection(drafted({ 'node.2.url': 'http://x' }), 'node.2');
  expect(changes(draft)).toEqual({ 'node.2': null });
  expect(countChanges(keepSection(draft, 'node.2'))).toBe(0);
});

it('carries what was entered over to a form that was read anew', () => {
  const draft = removeSection(
    drafted({ 'difficulty.start': '2048', 'abuse.ban_after': RESET, 'node.1.url': 'http://x' }),
    'node.2',
  );
  const again: Form = {
    ...form,
    sections: form.sections.map((section) => ({
      ...section,
      settings: section.settings.map((s) =>
        s.key === 'difficulty.start' ? { ...s, value: 2048, ...inFile } : s,
      ),
    })),
  };
  // What somebody else wrote meanwhile is no change any more.
  expect(changesOf(again, carryOver(form, draft, again)).changes).toEqual({
    'abuse.ban_after': null,
    'node.1.url': 'http://x',
    'node.2': null,
  });
  const moved: Form = { ...again, sections: again.sections.filter((s) => s.path !== 'node.2') };
  expect(changesOf(moved, carryOver(form, draft, moved)).changes).toEqual({
    'abuse.ban_after': null,
  });
});

it('finds settings by words of their key or description, and what is not as it comes', () => {
  const keys = (text: string, changedOnly = false, draft = EMPTY) =>
    filterSections(form.sections, draft, { text, changedOnly }).flatMap((s) =>
      s.settings.map((k) => k.key),
    );
  expect(keys('VARDIFF')).toEqual(['difficulty.vardiff']);
  expect(keys('about abuse ban')).toEqual(['abuse.ban_time', 'abuse.ban_after']);
  expect(keys('nothing like it')).toEqual([]);
  expect(keys('', true)).toEqual(['abuse.ban_after', 'node.1.url', 'node.2.url']);
  expect(keys('', true, drafted({ 'log.file': 'x' }))).toContain('log.file');
});
