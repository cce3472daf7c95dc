// Toasts in #messages: those that came with the page, those the server sends with `HX-Trigger: {"message":
// {"level": "success", "text": "…"}}`, and those for requests that failed. Good news goes by itself; bad news stays.
(() => {
  const SHOWN_MS = 6000
  const ICONS = { success: 'check', info: 'info-circle', warning: 'alert-triangle', error: 'alert-triangle' }

  const words = () => document.getElementById('words').dataset
  const region = () => document.getElementById('messages')

  // The sprite's address carries a hash in production, so it is taken from an icon that is on the page.
  function icon (name, size) {
    const model = document.querySelector('svg.gd-icon').cloneNode(true)
    const use = model.querySelector('use')
    model.setAttribute('width', size)
    model.setAttribute('height', size)
    use.setAttribute('href', use.getAttribute('href').replace(/#.*/, '#' + name))
    return model
  }

  function toast (level, text) {
    const box = document.createElement('div')
    box.className = `gd-toast gd-toast-${level}`
    box.dataset.toast = ''
    if (level === 'error') box.setAttribute('role', 'alert')
    const line = document.createElement('p')
    line.textContent = text
    const close = document.createElement('button')
    close.type = 'button'
    close.className = 'close'
    close.dataset.toastClose = ''
    close.setAttribute('aria-label', words().dismiss)
    close.append(icon('x', 16))
    box.append(icon(ICONS[level] || 'info-circle', 20), line, close)
    return box
  }

  function start (box) {
    if (box.classList.contains('gd-toast-error') || box.classList.contains('gd-toast-warning')) return
    let timer = setTimeout(() => box.remove(), SHOWN_MS)
    box.addEventListener('pointerenter', () => clearTimeout(timer))
    box.addEventListener('focusin', () => clearTimeout(timer))
    box.addEventListener('pointerleave', () => { timer = setTimeout(() => box.remove(), SHOWN_MS) })
  }

  // A modal dialog shuts off all that is outside of it: while one is open, the region lives inside.
  function place (home = document.querySelector('dialog[open]') || document.body) {
    if (region().parentElement !== home) home.append(region())
  }

  function show (level, text) {
    place()
    region().append(toast(level, text))
  }

  function failed (status) {
    show('error', words()[`failed-${status}`] || words().failed)
  }

  document.addEventListener('DOMContentLoaded', () => {
    region().querySelectorAll('[data-toast]').forEach(start)
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes])) {
        if (node.matches?.('[data-toast]')) start(node)
      }
    }).observe(region(), { childList: true })
  })

  document.addEventListener('click', (event) => {
    event.target.closest('[data-toast-close]')?.closest('[data-toast]').remove()
  })
  document.addEventListener('close', () => place(document.body), true)
  document.addEventListener('dialog:closed', () => place(document.body))
  document.addEventListener('htmx:beforeSwap', () => place(document.body))
  document.addEventListener('htmx:afterSettle', () => place())
  document.addEventListener('message', (event) => show(event.detail.level || 'info', event.detail.text))
  document.addEventListener('htmx:sendError', () => failed(0))
  document.addEventListener('htmx:timeout', () => failed(0))
  document.addEventListener('htmx:responseError', (event) => failed(event.detail.xhr.status))

  // A fragment answered with a whole page: the session has ended and this is the sign-in page. Go there.
  document.addEventListener('htmx:beforeSwap', (event) => {
    const { xhr, target } = event.detail
    if (target === document.body || !/^\s*<!doctype html/i.test(xhr.responseText)) return
    event.detail.shouldSwap = false
    window.location.reload()
  })
})()
