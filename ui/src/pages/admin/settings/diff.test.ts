import { expect, it } from 'vitest';
import { parseDiff } from './diff';

const DIFF = `--- poolscope.toml
+++ poolscope.toml
@@ -10,4 +10,5 @@
 [difficulty]
-start = 1024
+start = 2048 # as Grace wished
+max = 1e9
 
@@ -30,2 +31,1 @@ [log]
--- not a file name
 level = "info"
\\ No newline at end of file
`;

it('numbers lines as they are in the file before and after', () => {
  expect(parseDiff(DIFF)).toEqual([
    { kind: 'hunk', text: '@@ -10,4 +10,5 @@' },
    { kind: 'same', text: '[difficulty]', before: 10, after: 10 },
    { kind: 'removed', text: 'start = 1024', before: 11 },
    { kind: 'added', text: 'start = 2048 # as Grace wished', after: 11 },
    { kind: 'added', text: 'max = 1e9', after: 12 },
    { kind: 'same', text: '', before: 12, after: 13 },
    { kind: 'hunk', text: '@@ -30,2 +31,1 @@ [log]' },
    { kind: 'removed', text: '-- not a file name', before: 30 },
    { kind: 'same', text: 'level = "info"', before: 31, after: 31 },
    { kind: 'note', text: 'No newline at end of file' },
  ]);
});

it('takes a file that is made for one that is all new', () => {
  expect(parseDiff('--- /dev/null\n+++ poolscope.toml\n@@ -0,0 +1 @@\n+a = 1\r\n')).toEqual([
    { kind: 'hunk', text: '@@ -0,0 +1 @@' },
    { kind: 'added', text: 'a = 1', after: 1 },
  ]);
});

it('is empty where nothing changes', () => {
  expect(parseDiff('')).toEqual([]);
});
