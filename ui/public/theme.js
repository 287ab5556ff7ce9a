// Sets the remembered theme before the first paint, so that nobody who chose
// the dark one is flashed with the light one. It is a file of its own because
// the Content-Security-Policy allows no inline script. Its counterpart, which
// writes the key, is src/lib/theme.ts.
(function () {
  try {
    const choice = localStorage.getItem('poolscope.theme');
    if (choice === 'light' || choice === 'dark') {
      document.documentElement.dataset.theme = choice;
    }
  } catch {
    // Storage is switched off: the system's preference holds.
  }
})();
