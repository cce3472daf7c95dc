// Light, dark, or as the system says. Runs in <head>, before anything is drawn, so that no page flashes white.
// Tells the page about a change with the event "theme:change" on document (charts redraw on it).
(() => {
  const root = document.documentElement
  const systemDark = window.matchMedia('(prefers-color-scheme: dark)')

  function chosen () {
    try {
      return localStorage.getItem('theme') || 'system'
    } catch {
      return 'system' // Storage may be refused altogether.
    }
  }

  function choose (choice) {
    try {
      localStorage.setItem('theme', choice)
    } catch { /* Then it holds for this page only. */ }
    apply(choice)
  }

  function apply (choice) {
    const theme = choice === 'system' ? (systemDark.matches ? 'dark' : 'light') : choice
    const changed = root.dataset.bsTheme !== theme
    root.dataset.bsTheme = theme
    for (const button of document.querySelectorAll('[data-theme-choice]')) {
      button.setAttribute('aria-pressed', String(button.dataset.themeChoice === choice))
    }
    if (changed) document.dispatchEvent(new CustomEvent('theme:change', { detail: { theme } }))
  }

  apply(chosen())
  systemDark.addEventListener('change', () => apply(chosen()))
  window.addEventListener('storage', (event) => { if (event.key === 'theme') apply(chosen()) })
  document.addEventListener('DOMContentLoaded', () => apply(chosen()))
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-theme-choice]')
    if (button) choose(button.dataset.themeChoice)
  })
})()
