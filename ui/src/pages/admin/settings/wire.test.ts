import { expect, it } from 'vitest';
import { problemText, toForm, type WireForm } from './wire';

const key = {
  doc: 'What it is for.',
  type: 'integer' as const,
  default: 5,
  value: 5,
  in_file: false,
  origin: { kind: 'default' as const },
  live: true,
  dangerous: false,
};

const wire: WireForm = {
  file: '/etc/poolscope.toml',
  writable: true,
  base: 'ab',
  problems: [],
  unread: ['abuse.ban_after'],
  waiting: ['http.listen'],
  sections: [
    {
      name: 'abuse',
      doc: 'About abuse.',
      repeated: false,
      keys: [
        {
          ...key,
          key: 'abuse.ban_after',
          in_file: true,
          file: 7,
          origin: { kind: 'file', line: 12 },
        },
        // Taken out of the file, and still in force.
        { ...key, key: 'abuse.connect_burst', default: 10, value: 99 },
        {
          ...key,
          key: 'abuse.max',
          value: 3,
          origin: { kind: 'env', source: 'POOLSCOPE_ABUSE_MAX' },
          locked: 'set by the environment variable POOLSCOPE_ABUSE_MAX; change it there',
        },
      ],
    },
    {
      name: 'http',
      doc: '',
      repeated: false,
      keys: [
        {
          ...key,
          key: 'http.token',
          type: 'secret',
          default: undefined as never,
          value: undefined as never,
          set: true,
        },
        {
          ...key,
          key: 'scope.send_proxy',
          type: 'choice',
          choices: [0, 1, 2],
          default: 0,
          value: 1,
        },
        { ...key, key: 'log.level', type: 'choice', choices: ['', 'info'], default: 'info' },
      ],
    },
    {
      name: 'node',
      doc: 'About nodes.',
      repeated: true,
      keys: [{ ...key, key: 'node.*.url', type: 'string', default: '', value: '' }],
      entries: [
        {
          number: 1,
          in_file: false,
          keys: [{ ...key, key: 'node.1.url', type: 'string', default: '', value: 'http://a' }],
        },
      ],
    },
  ],
};

const form = toForm(wire);
const find = (name: string) => {
  const found = form.sections.flatMap((s) => s.settings).find((s) => s.key === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};

it('edits what the file says, not what is in force until it is read', () => {
  expect(find('abuse.ban_after')).toMatchObject({
    value: 7,
    from: 'From line 12 of the file',
    isOwn: true,
    waits: 'reload',
  });
  expect(find('abuse.connect_burst')).toMatchObject({ value: 10, isOwn: false });
});

it('shows what wins over the file, and does not edit it', () => {
  expect(find('abuse.max')).toMatchObject({
    value: 3,
    from: 'From the environment variable POOLSCOPE_ABUSE_MAX',
    isOwn: true,
  });
  expect(find('abuse.max').locked).toContain('change it there');
});

it('knows kinds, choices and secrets', () => {
  expect(find('http.token')).toMatchObject({ kind: 'secret', value: '', isSet: true });
  expect(find('scope.send_proxy')).toMatchObject({ kind: 'int', choices: ['0', '1', '2'] });
  expect(find('log.level')).toMatchObject({ kind: 'string', choices: ['', 'info'] });
});

it('lists repeated sections one by one, and what another one would have', () => {
  expect(form.sections.map((s) => s.path)).toEqual(['abuse', 'http', 'node.1']);
  expect(find('node.1.url').value).toBe('http://a');
  expect(form.templates.map((t) => t.settings.map((s) => s.key))).toEqual([['node.*.url']]);
});

it('says why nothing can be changed', () => {
  expect(form.readOnly).toBe('');
  expect(toForm({ ...wire, writable: false, reason: 'no file' }).readOnly).toBe('no file');
});

it('tells a mistake with its place', () => {
  expect(problemText({ source: 'a.toml', line: 3, key: 'http.listen', message: 'bad' })).toBe(
    'a.toml, line 3: http.listen: bad',
  );
  expect(problemText({ message: 'bad' })).toBe('bad');
});

it('shows what is in force where there is no file, and what of it is not the default', () => {
  const listen = { ...key, key: 'http.listen', type: 'string' as const, default: ':8000' };
  const demo = toForm({
    ...wire,
    file: '',
    writable: false,
    reason: 'there is no file',
    sections: [
      {
        name: 'http',
        doc: '',
        repeated: false,
        keys: [
          { ...listen, value: '127.0.0.1:9000' },
          { ...listen, key: 'http.tls_listen', default: '', value: '' },
        ],
      },
    ],
  });
  expect(demo.sections[0]?.settings).toMatchObject([
    { value: '127.0.0.1:9000', from: 'Chosen by poolscope', isOwn: true },
    { value: '', from: 'Default', isOwn: false },
  ]);
});
