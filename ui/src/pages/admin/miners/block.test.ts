import { expect, it } from 'vitest';
import { blockOf } from './block';

it('takes an IPv4 address as it is, however it is written', () => {
  expect(blockOf('203.0.113.7')).toBe('203.0.113.7');
  expect(blockOf('::ffff:203.0.113.7')).toBe('203.0.113.7');
});

it('takes the /64 of an IPv6 address', () => {
  expect(blockOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(blockOf('2001:db8:1:2::6')).toBe('2001:db8:1:2::/64');
  expect(blockOf('2001:DB8::6')).toBe('2001:db8::/64');
  expect(blockOf('[2001:db8:0:2::6]')).toBe('2001:db8:0:2::/64');
  expect(blockOf('fe80::1%eth0')).toBe('fe80::/64');
  expect(blockOf('::1')).toBe('::/64');
});

it('leaves alone what it does not understand', () => {
  expect(blockOf('not an address')).toBe('not an address');
  expect(blockOf('1:2:3')).toBe('1:2:3');
  expect(blockOf('1::2::3')).toBe('1::2::3');
});
