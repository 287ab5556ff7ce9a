import { expect, it } from 'vitest';
import { messageFault, replayVerdict, submitFields, submitMessage } from './replay';

const captured = {
  decoded: {
    id: 4,
    method: 'mining.submit',
    params: ['w.rig', 'job', '00', '65000001', 'deadbeef'],
    extra: 1,
  },
};

it('gives back what it took apart, unknown members and all', () => {
  const fields = submitFields(captured);
  expect(fields).toMatchObject({ id: '4', worker: 'w.rig', nonce: 'deadbeef', versionBits: '' });
  if (!fields) throw new Error('no fields');
  expect(JSON.parse(submitMessage(fields, captured))).toEqual(captured.decoded);
});

it('sends version bits when there are any, and keeps the type of an id', () => {
  const fields = submitFields(captured);
  if (!fields) throw new Error('no fields');
  const sent = (change: object) =>
    JSON.parse(submitMessage({ ...fields, ...change }, captured)) as Record<string, unknown>;
  expect(sent({ versionBits: '00002000' }).params).toHaveLength(6);
  expect(sent({ id: '7' }).id).toBe(7);
  expect(sent({ id: '"7"' }).id).toBe('7');
  expect(sent({ id: 'mine' }).id).toBe('mine');
});

it('says why a text cannot be sent', () => {
  expect(messageFault('{"id":1}')).toBe('');
  expect(messageFault('[1]')).toContain('object');
  expect(messageFault('{"method":"x"}')).toContain('id');
  expect(messageFault('{')).not.toBe('');
});

it.each([
  [{ result: true, error: null }, true, ''],
  [{ result: false, error: null }, false, ''],
  [{ result: null, error: [22, 'Duplicate share', null] }, false, 'Duplicate share (22)'],
  [{ result: null, error: { code: 22, message: 'Duplicate' } }, false, 'Duplicate'],
  [{ result: null, error: 'no' }, false, '"no"'],
  [null, false, ''],
])('%j', (response, accepted, reason) => {
  expect(replayVerdict(response)).toEqual({ accepted, reason });
});
