import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin, ResolvedConfig } from 'vite';

const require = createRequire(import.meta.url);

/**
 * Puts Swagger UI beside the page in public/docs, so that the program shows its
 * API without asking another host for anything. `vite dev` does not serve it.
 */
export function swagger(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'poolscope:swagger-ui',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    async closeBundle() {
      const from = dirname(require.resolve('swagger-ui-dist/package.json'));
      const to = join(config.root, config.build.outDir, 'docs');
      await mkdir(to, { recursive: true });
      for (const name of [
        'swagger-ui-bundle.js',
        'swagger-ui.css',
        'swagger-ui-bundle.js.LICENSE.txt',
      ]) {
        await copyFile(join(from, name), join(to, name));
      }
    },
  };
}
