import { expect, it } from 'vitest';
import { agent, report } from '../../../scope/agentFixture';
import { startCommand } from './command';
import { delayText, poolText, stateWord, sumUp, UNTOLD } from './fleet';
import { orderText, readOrder } from './order';
import { placeOf, regionsOf } from './regions';

const stats = agent('').stats;

it('adds up what all did, and the rates of those that are live', () => {
  const sum = sumUp([
    agent('a', { report: { ...report, load: { ...report.load, rate: 2, ordered: true } } }),
    agent('b', {
      stats: { ...stats, submits_rejected_total: 5 },
      report: { ...report, mode: 'replay', rejects: { Duplicate: 3 } },
    }),
    agent('c', { state: 'silent', report: { ...report, rejects: { Duplicate: 1, Stale: 4 } } }),
  ]);
  expect(sum).toMatchObject({
    live: 2,
    silent: 1,
    aimed: 2,
    ordered: 2,
    achieved: 1,
    accepted: 12,
  });
  expect(sum.reasons).toEqual([
    ['Duplicate', 4],
    ['Stale', 4],
    [UNTOLD, 2],
  ]);
});

it('calls an agent silent whatever it last said', () => {
  expect(stateWord(agent('a', { state: 'silent' })).text).toBe('Silent');
  expect(stateWord(agent('a')).text).toBe('Connected');
  expect(stateWord(agent('a', { conn_state: 'error' })).tone).toBe('bad');
});

it('writes pools and delays', () => {
  expect(poolText({ pool_target: { host: '::1', port: 3333 } })).toBe('[::1]:3333');
  expect(poolText({ pool_target: { host: 'stratum+tcp://p.example', port: 1 } })).toBe(
    'p.example:1',
  );
  expect(delayText(0)).toBe('first');
  expect(delayText(12)).toBe('+ 12 ms');
  expect(delayText(undefined)).toBe('–');
});

it('knows regions by the most of their name', () => {
  expect(placeOf('us-west-2a')).toEqual(placeOf('us-west'));
  expect(placeOf('europe-west1')).toEqual(placeOf('EU West'));
  expect(placeOf('ap-southeast-2')).not.toEqual(placeOf('ap-southeast-1'));
  for (const unknown of ['', 'cellar', 'constructor', '-', 'usual']) {
    expect(placeOf(unknown)).toBeUndefined();
  }
});

it('counts agents by region, those without one too', () => {
  const regions = regionsOf([
    agent('a'),
    agent('b', { state: 'silent' }),
    agent('c', { report: { ...report, region: '' } }),
  ]);
  expect(regions.map((r) => [r.name, r.live, r.silent])).toEqual([
    ['', 1, 0],
    ['eu-central', 1, 1],
  ]);
});

it('reads an order, or says what is wrong with it', () => {
  expect(readOrder({ rate: '2.5', difficulty: '', agent: '' })).toEqual({
    rate: 2.5,
    difficulty: 0,
  });
  expect(readOrder({ rate: '0', difficulty: '8', agent: 'a' })).toEqual({
    rate: 0,
    difficulty: 8,
    agents: ['a'],
  });
  for (const rate of ['', ' ', '-1', 'x', '1001', 'Infinity']) {
    expect(readOrder({ rate, difficulty: '', agent: '' })).toContain('rate');
  }
  expect(readOrder({ rate: '1', difficulty: '-1', agent: '' })).toContain('difficulty');
});

it('says the order in force', () => {
  expect(orderText(undefined)).toContain('No order');
  expect(orderText({ rate: 0, difficulty: 0 })).toBe('Each agent is to rest.');
  expect(orderText({ rate: 2, difficulty: 8, agents: ['a'] })).toBe(
    'a is to find 2/s valid shares, of difficulty 8 or more.',
  );
});

it('makes a command that a shell takes as it is meant', () => {
  const relay = {
    url: 'wss://r.example',
    state: 'connected' as const,
    connects: 1,
    waiting: 0,
    dropped: 0,
    accepted: 0,
    received: 0,
    rejected: {},
    refused: {},
    last_error: null,
  };
  const command = startCommand({
    relays: [relay],
    run_id: "it's",
    public_key: 'npub1x',
    encrypted: true,
  });
  expect(command).toContain('--relay wss://r.example');
  expect(command).toContain(String.raw`--run 'it'\''s' --author npub1x --group-key-file FILE`);
});
