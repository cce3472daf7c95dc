// [data-print] prints the page. Paper is white: whatever the theme, a page is printed in the light one.
(() => {
  const root = document.documentElement
  let theme = root.dataset.bsTheme

  window.addEventListener('beforeprint', () => {
    theme = root.dataset.bsTheme
    root.dataset.bsTheme = 'light'
  })
  window.addEventListener('afterprint', () => { root.dataset.bsTheme = theme })
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-print]')) window.print()
  })
})()
