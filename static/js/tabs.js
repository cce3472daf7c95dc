// Tabs: buttons with role="tab" and aria-controls in a role="tablist", inside [data-tabs]. Arrow keys, Home and End
// move between them. A form that comes back with errors opens on the first tab with one, else where it was left;
// [data-tabs-open="id"] is the tab that it opens on at first.
(() => {
  const left = new Map() // Which tab each [data-tabs="name"] was left on.

  const tabsOf = (group) => [...group.querySelectorAll('[role=tab]')]
  const panelOf = (tab) => document.getElementById(tab.getAttribute('aria-controls'))

  function select (tab, { focus = false } = {}) {
    const group = tab.closest('[data-tabs]')
    for (const other of tabsOf(group)) {
      other.setAttribute('aria-selected', String(other === tab))
      other.tabIndex = other === tab ? 0 : -1
      panelOf(other).hidden = other !== tab
    }
    left.set(group.dataset.tabs, tab.id)
    if (focus) tab.focus()
  }

  function start (group) {
    const tabs = tabsOf(group)
    if (!tabs.length) return
    for (const tab of tabs) {
      const panel = panelOf(tab)
      panel.setAttribute('role', 'tabpanel')
      panel.setAttribute('aria-labelledby', tab.id)
      tab.classList.toggle('has-error', Boolean(panel.querySelector('.is-invalid, [aria-invalid=true]')))
    }
    const wrong = tabs.find((tab) => tab.classList.contains('has-error'))
    const last = tabs.find((tab) => tab.id === left.get(group.dataset.tabs))
    const first = tabs.find((tab) => tab.id === group.dataset.tabsOpen)
    select(wrong || last || first || tabs[0])
  }

  function startAll (root) {
    if (root.matches?.('[data-tabs]')) start(root)
    root.querySelectorAll?.('[data-tabs]').forEach(start)
  }

  document.addEventListener('DOMContentLoaded', () => startAll(document))
  document.addEventListener('htmx:afterSwap', (event) => startAll(event.target)) // What is new, not what it replaced.
  document.addEventListener('dialog:closed', () => left.clear())

  document.addEventListener('click', (event) => {
    const tab = event.target.closest('[data-tabs] [role=tab]')
    if (tab) select(tab)
  })

  document.addEventListener('keydown', (event) => {
    const tab = event.target.closest?.('[data-tabs] [role=tab]')
    if (!tab) return
    const tabs = tabsOf(tab.closest('[data-tabs]'))
    const at = tabs.indexOf(tab)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    select(tabs[(to + tabs.length) % tabs.length], { focus: true })
  })

  // The browser can't point at an invalid field that is hidden: show its tab first.
  document.addEventListener('invalid', (event) => {
    const panel = event.target.closest('[role=tabpanel][hidden]')
    const shown = panel?.closest('form')?.querySelector('[role=tabpanel]:not([hidden]) :invalid')
    if (panel && !shown) select(document.getElementById(panel.getAttribute('aria-labelledby')))
  }, true)
})()
