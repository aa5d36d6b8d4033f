// Light or dark: as the system says, unless somebody chose here.

const kKey = 'cam-theme';

export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
}

/** Before anything is painted. */
export function restoreTheme() {
  try {
    const kept = localStorage.getItem(kKey);
    if (kept === 'dark' || kept === 'light') document.documentElement.dataset.theme = kept;
  } catch {
    // Without storage the system decides.
  }
}

export function toggleTheme() {
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(kKey, next);
  } catch {
    // It lasts as long as the page.
  }
}
