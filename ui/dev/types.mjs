// Makes src/api/scope.gen.ts of the scope's OpenAPI document, which a Go test
// keeps in step with the API. `npm run types` writes it; with --check it only
// says whether it is up to date.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';

const source = join(import.meta.dirname, '../../internal/api/scopeapi/testdata/openapi.json');
const target = join(import.meta.dirname, '../src/api/scope.gen.ts');

const document = JSON.parse(await readFile(source, 'utf8'));
// The page names its requests itself; the shapes of the answers are what it needs.
const ast = await openapiTS({ ...document, paths: {} }, { alphabetize: true });
const text = `// Made by dev/types.mjs from the scope's OpenAPI document: npm run types.\n\n${astToString(ast)}`;

if (process.argv.includes('--check')) {
  const known = await readFile(target, 'utf8').catch(() => '');
  if (known !== text) {
    console.error('src/api/scope.gen.ts is not up to date: npm run types');
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
