// @vitest-environment jsdom
import { afterEach, expect, it } from 'vitest';
import { forgetDraft, keepDraft, keptDraft } from './draft';
import { EMPTY, RESET, type Draft, type Form, type Setting } from './model';

afterEach(forgetDraft);

const setting = (key: string, more: Partial<Setting> = {}): Setting => ({
  key,
  kind: 'string',
  doc: '',
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

const form: Form = {
  file: 'poolscope.toml',
  readOnly: '',
  base: 'ab12',
  problems: [],
  sections: [
    {
      path: 'http',
      name: 'http',
      doc: '',
      repeated: false,
      inFile: true,
      settings: [
        setting('http.listen', { value: ':8000', inFile: true }),
        setting('http.token', { kind: 'secret' }),
        setting('http.public_url', { value: 'https://pool.example', inFile: true }),
      ],
    },
    {
      path: 'node.1',
      name: 'node',
      doc: '',
      repeated: true,
      inFile: true,
      settings: [setting('node.1.url'), setting('node.1.password', { kind: 'secret' })],
    },
  ],
  templates: [
    {
      name: 'node',
      doc: '',
      settings: [setting('node.2.url'), setting('node.2.password', { kind: 'secret' })],
    },
  ],
};

const draft: Draft = {
  entries: new Map<string, string | typeof RESET>([
    ['http.listen', ':9000'],
    ['http.public_url', RESET],
    ['http.token', 'hunter2 of http'],
    ['node.2.url', 'http://b:1'],
    ['node.2.password', 'hunter2 of a node'],
  ]),
  removed: new Set(['node.1']),
  added: ['node.2'],
};

it('brings back what was entered, but for secrets, which are not written anywhere', () => {
  keepDraft(form, draft);
  expect(sessionStorage).toHaveLength(1);
  expect(sessionStorage.getItem(sessionStorage.key(0) ?? '')).not.toContain('hunter2');
  const kept = keptDraft(form);
  expect(kept.secrets).toBe(true);
  expect([...kept.draft.entries]).toEqual([
    ['http.listen', ':9000'],
    ['http.public_url', RESET],
    ['node.2.url', 'http://b:1'],
  ]);
  expect([...kept.draft.removed]).toEqual(['node.1']);
  expect(kept.draft.added).toEqual(['node.2']);
});

it('brings nothing back once the file is another one, or the draft was taken', () => {
  keepDraft(form, draft);
  expect(keptDraft({ ...form, base: 'cd34' })).toEqual({ draft: EMPTY, secrets: false });
  expect(keptDraft({ ...form, file: 'other.toml' })).toEqual({ draft: EMPTY, secrets: false });
  forgetDraft();
  expect(keptDraft(form)).toEqual({ draft: EMPTY, secrets: false });
});
