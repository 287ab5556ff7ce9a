import { expect, it } from 'vitest';
import { rank } from './rank';

const items = [
  { label: 'Overview' },
  { label: 'Workers' },
  { label: 'Messages' },
  { label: 'Alarms' },
  { label: 'Theme: dark', keywords: 'colours night' },
  { label: 'garage.rig10', keywords: 'bc1qexample miner' },
  { label: 'garage.rig1', keywords: 'bc1qother miner' },
  { label: 'Über-Rig' },
];
const labels = (query: string, most = 10) => rank(items, query, most).map((i) => i.label);

it('offers everything in its order while nothing is typed', () => {
  expect(labels('  ', 3)).toEqual(['Overview', 'Workers', 'Messages']);
});

it('puts beginnings before beginnings of words, and those before parts', () => {
  expect(labels('wor')).toEqual(['Workers']);
  expect(labels('rig')).toEqual(['Über-Rig', 'garage.rig1', 'garage.rig10']);
  expect(labels('view')).toEqual(['Overview']);
  expect(labels('a')[0]).toBe('Alarms');
});

it('takes letters in their order, with others between', () => {
  expect(labels('msgs')).toEqual(['Messages']);
  expect(labels('gr10')[0]).toBe('garage.rig10');
  expect(labels('zx')).toEqual([]);
});

it('wants every word, wherever it is, and knows other words too', () => {
  expect(labels('rig1 other')).toEqual(['garage.rig1']);
  expect(labels('NIGHT')).toEqual(['Theme: dark']);
  expect(labels('rig nobody')).toEqual([]);
});

it('does not mind accents and odd characters', () => {
  expect(labels('uber')).toEqual(['Über-Rig']);
  expect(labels('.*[(')).toEqual([]);
});
