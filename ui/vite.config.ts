import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { swagger } from './dev/swagger.ts';

// The server that `npm run dev` asks for data: a running poolscope, or the
// mock of `npm run mock`.
const server = process.env.POOLSCOPE_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react(), swagger()],
  build: {
    // Browsers of 2024 and later: light-dark() and nesting go out as written.
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    // Data URLs would need a hole in the Content-Security-Policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': { target: server, ws: true } },
  },
  test: {
    // Tests that need a document ask for jsdom in their first line.
    environment: 'node',
    // Long enough for a machine that does much else; no test waits for it.
    testTimeout: 60_000,
    include: ['src/**/*.test.{ts,tsx}'],
  },
});
