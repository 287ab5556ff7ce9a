// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import { WorkerName } from './WorkerName';

afterEach(cleanup);

it.each([
  ['bc1qw508...kv8f3t4.rig1', ['rig1', 'bc1qw508...kv8f3t4']],
  ['bc1qw508...kv8f3t4.garage.s19', ['garage.s19', 'bc1qw508...kv8f3t4']],
  ['bc1qw508...kv8f3t4', ['bc1qw508...kv8f3t4']],
  ['short.rig', ['rig', 'short']],
  ['', ['']],
  ['bc1qw508...kv8f3t4.a..b', ['a..b', 'bc1qw508...kv8f3t4']],
  ['short.', ['short.']],
])('%s', (name, parts) => {
  const { container } = render(<WorkerName name={name} />);
  const spans = [...container.querySelectorAll('span')].filter((s) => s.children.length === 0);
  expect(spans.map((s) => s.textContent)).toEqual(parts);
});
