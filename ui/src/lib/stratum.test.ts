import { expect, it } from 'vitest';
import { addressHint, isLoopback, reachableURL } from './stratum';

it('keeps a host that is one', () => {
  const url = 'stratum+tcp://127.0.0.1:3333';
  expect(reachableURL(url, 'pool.lan')).toBe(url);
  expect(reachableURL('stratum+tcp://[::1]:3333', 'pool.lan')).toBe('stratum+tcp://[::1]:3333');
});

it('puts the page’s host where the pool listens everywhere', () => {
  for (const host of ['', '0.0.0.0', '[::]']) {
    expect(reachableURL(`stratum+ssl://${host}:4333`, 'pool.lan')).toBe(
      'stratum+ssl://pool.lan:4333',
    );
  }
});

it('passes on what it does not understand', () => {
  expect(reachableURL('somewhere', 'pool.lan')).toBe('somewhere');
});

it('hints at the right kind of address', () => {
  expect(addressHint('main')).toContain('bc1');
  expect(addressHint('regtest')).toContain('bcrt1');
  expect(addressHint('signet')).toContain('tb1');
});

it.each([
  ['stratum+tcp://127.0.0.1:3333', true],
  ['stratum+ssl://[::1]:4333', true],
  ['stratum+tcp://localhost:3333', true],
  ['stratum+tcp://192.168.1.20:3333', false],
  ['stratum+tcp://127.0.0.1.example.org:3333', false],
])('%s is for its own machine only: %s', (url, own) => {
  expect(isLoopback(url)).toBe(own);
});
