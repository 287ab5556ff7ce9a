/**
 * Copies text. The clipboard API exists only on HTTPS and localhost; a pool in
 * the living room is often plain HTTP, where the old way still works. While a
 * modal dialog is open that goes only `inside` it.
 */
export async function copyText(
  text: string,
  inside: HTMLElement = document.body,
): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Permission denied; the old way may still be allowed.
    }
  }
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'visually-hidden';
  inside.append(area);
  area.select();
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without HTTPS
    return document.execCommand('copy');
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}
