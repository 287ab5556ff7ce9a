import jsQR from 'jsqr';
import { encode } from 'uqr';
import { expect, it } from 'vitest';
import { QUIET_ZONE, qrPath } from './qr';

/** Pixels of a module. */
const SCALE = 4;

/** Draws a path of qrPath as a browser would: dark rectangles on white. */
function draw(path: string, size: number) {
  const side = size * SCALE;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    for (let py = Number(y) * SCALE; py < (Number(y) + 1) * SCALE; py++) {
      for (let px = Number(x) * SCALE; px < (Number(x) + Number(width)) * SCALE; px++) {
        pixels.fill(0, (py * side + px) * 4, (py * side + px) * 4 + 3);
      }
    }
  }
  return { pixels, side };
}

it.each([
  'stratum+tcp://192.168.1.20:3333',
  'stratum+ssl://pool.example.org:4333',
  'stratum+tcp://[2001:db8::1]:3333',
  `stratum+tcp://${'a-rather-long-name.'.repeat(6)}example:65535`,
])('says %s to another reader', (url) => {
  const code = encode(url, { ecc: 'M', border: QUIET_ZONE });
  const { pixels, side } = draw(qrPath(code.data), code.size);
  expect(jsQR(pixels, side, side)?.data).toBe(url);
});

it('draws each run of dark modules once', () => {
  expect(
    qrPath([
      [true, true, false, true],
      [false, false, false, false],
      [false, true, true, true],
    ]),
  ).toBe('M0 0h2v1h-2zM3 0h1v1h-1zM1 2h3v1h-3z');
});
