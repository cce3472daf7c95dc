// Menus are <details data-menu>: they open without a script. This closes them on Escape and on a click elsewhere.
(() => {
  function closeAll (except) {
    for (const menu of document.querySelectorAll('details[data-menu][open]')) {
      if (menu !== except) menu.open = false
    }
  }

  document.addEventListener('click', (event) => closeAll(event.target.closest('details[data-menu]')))
  document.addEventListener('focusin', (event) => closeAll(event.target.closest('details[data-menu]')))
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && event.target.closest('details[data-menu][open]')
    if (!menu) return
    menu.open = false
    menu.querySelector('summary').focus()
  })
})()
