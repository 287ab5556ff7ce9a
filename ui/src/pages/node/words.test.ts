import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { NodeStatus } from '../../api/types';
import { nodeState, nodeWords } from './words';

const source = readFileSync(
  new URL('../../../../internal/node/status.go', import.meta.url),
  'utf8',
);
const states = [...source.matchAll(/State\w+ += "(\w+)"/g)].map((match) => match[1] ?? '');

it('finds the states that the server knows', () => {
  expect(states).toContain('ready');
  expect(states.length).toBeGreaterThan(7);
});

it.each(states)('says in words what %s means', (name) => {
  const { text, meaning } = nodeState(name);
  expect(text).not.toContain('_');
  expect(meaning).toMatch(/[.?]$/);
});

it('takes a state that it does not know by its name', () => {
  expect(nodeState('on_fire')).toEqual({ text: 'on fire', tone: 'neutral', meaning: '' });
});

const node: NodeStatus = {
  name: 'attic',
  address: '',
  state: 'ready',
  reason: '',
  height: 99,
  headers: 100,
  latency_ms: 2,
  zmq: false,
  active: false,
  version: '/Satoshi:29.1.0/',
};

it('tells how far a node is, and what it is there for', () => {
  expect(nodeWords(node, true)).toBe(
    'At block 99 of 100 · answers in 2.0 ms · is asked for new blocks, has no ZMQ · ' +
      'stands by, and gets every found block · Satoshi:29.1.0',
  );
  expect(nodeWords({ ...node, zmq: true, active: true }, true)).toContain(
    'templates come from here',
  );
});

it('tells the reason of trouble instead of a height', () => {
  const words = nodeWords(
    { ...node, state: 'unreachable', reason: 'connection refused', latency_ms: 0, version: '' },
    false,
  );
  expect(words).toBe('Connection refused');
});
