// @vitest-environment jsdom
import { act, cleanup, render, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useSteady, useTask, useToldTask } from './progress';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function wait(ms: number): void {
  act(() => {
    vi.advanceTimersByTime(ms);
  });
}

it('does not show what is short', () => {
  const { result, rerender } = renderHook(useSteady, { initialProps: true });
  wait(300);
  expect(result.current).toBe(false);
  rerender(false);
  wait(2000);
  expect(result.current).toBe(false);
});

it('shows within a second what is long, and does not flicker between two tasks', () => {
  const { result, rerender } = renderHook(useSteady, { initialProps: true });
  wait(999);
  expect(result.current).toBe(true);
  rerender(false);
  wait(100);
  rerender(true);
  wait(1000);
  expect(result.current).toBe(true);
  rerender(false);
  wait(1000);
  expect(result.current).toBe(false);
});

it('knows the task that was told last, until it is over', () => {
  function Tasks(props: { a?: string; b?: string; part?: number }) {
    useTask(props.a);
    useTask(props.b, props.part);
    const task = useToldTask();
    return task ? `${task.label} ${task.part ?? '?'}` : 'none';
  }
  const { container, rerender, unmount } = render(<Tasks />);
  expect(container.textContent).toBe('none');
  rerender(<Tasks a="Searching" />);
  expect(container.textContent).toBe('Searching ?');
  rerender(<Tasks a="Searching" b="Exporting" part={0.25} />);
  expect(container.textContent).toBe('Exporting 0.25');
  rerender(<Tasks a="Searching" b="Exporting" part={0.5} />);
  expect(container.textContent).toBe('Exporting 0.5');
  rerender(<Tasks a="Searching" />);
  expect(container.textContent).toBe('Searching ?');
  unmount();
  expect(renderHook(useToldTask).result.current).toBeUndefined();
});
