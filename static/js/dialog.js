// The one <dialog id="dialog">. A fragment swapped into it opens it; an empty one closes it, and so does the
// server's event `HX-Trigger: dialog:close`, Escape, [data-dialog-close], and a click beside it. Where something has
// been typed, Escape and [data-dialog-close] ask first, and a click beside it does nothing. Focus goes to the first
// wrong field, else the first field, and afterwards back to the opener.
(() => {
  const FIELDS = 'input:not([type=hidden]):not(:disabled), select:not(:disabled), textarea:not(:disabled)'
  let opener = null
  let isDirty = false
  let isComing = false // The next dialog is asked for already: browsers tell of a `close` late, on a busy machine.
  let pressedOutside = false

  const isVisible = (element) => element.getClientRects().length > 0

  function firstOf (dialog, selector) {
    return [...dialog.querySelectorAll(selector)].find(isVisible)
  }

  function focusInside (dialog) {
    const checked = firstOf(dialog, 'input[type=radio]:checked')
    const field = firstOf(dialog, FIELDS)
    const first = field?.type === 'radio' && checked ? checked : field
    const target = firstOf(dialog, '[autofocus]') || firstOf(dialog, '.is-invalid, [aria-invalid=true]') ||
      firstOf(dialog, '[data-form-errors]') || first || firstOf(dialog, '.btn')
    target?.focus()
  }

  // ---- What has been typed and not saved ----

  const question = (dialog) => dialog.querySelector('.dialog-question')

  function ask (dialog) {
    if (question(dialog)) return
    const asked = document.getElementById('dialog-question').content.firstElementChild.cloneNode(true)
    asked.keptFocus = document.activeElement
    dialog.append(asked)
    asked.querySelector('[data-dialog-keep]').focus()
  }

  function keep (dialog) {
    const asked = question(dialog)
    asked.remove()
    asked.keptFocus?.focus()
  }

  function leave (dialog) {
    if (question(dialog)) keep(dialog)
    else if (isDirty) ask(dialog)
    else dialog.close()
  }

  function press (dialog, target) {
    if (target.closest('[data-dialog-discard]')) dialog.close()
    else if (target.closest('[data-dialog-keep]')) keep(dialog)
    else if (target.closest('[data-dialog-close]')) leave(dialog)
    else if (target === dialog && pressedOutside && !isDirty) dialog.close()
  }

  function open (dialog) {
    if (!dialog.open) {
      isDirty = false
      dialog.showModal()
    }
    focusInside(dialog)
  }

  function empty (dialog) {
    isComing = false
    document.dispatchEvent(new CustomEvent('dialog:closed'))
    dialog.replaceChildren() // A key just shown must not stay in the page.
  }

  function returnFocus () {
    const again = opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id)
    const target = again || document.getElementById('main')
    // Who has gone on already, while `close` was late, stays where they are.
    if (document.activeElement === document.body) target?.focus({ preventScroll: true })
    opener = null
  }

  document.addEventListener('htmx:beforeRequest', (event) => {
    const { target, elt } = event.detail
    if (target?.id !== 'dialog' || target.open) return
    if (target.hasChildNodes()) empty(target) // Its `close` is still to come.
    opener = elt.closest('details[data-menu]')?.querySelector('summary') || elt // The menu is closed afterwards.
    isComing = true
  })

  document.addEventListener('htmx:afterRequest', (event) => {
    const { target, successful } = event.detail
    if (target?.id === 'dialog' && !successful && isComing) empty(target)
  })

  document.addEventListener('htmx:afterSettle', (event) => {
    const dialog = event.detail.target
    if (dialog?.id !== 'dialog') return
    isComing = false
    // A form that comes back has what was typed in it still; whatever else comes has nothing to lose.
    if (event.detail.requestConfig?.verb === 'get' || !dialog.querySelector('form')) isDirty = false
    if (dialog.textContent.trim()) open(dialog)
    else if (dialog.open) dialog.close()
    else returnFocus()
  })

  document.addEventListener('dialog:close', () => document.getElementById('dialog')?.close())

  document.addEventListener('DOMContentLoaded', () => {
    const dialog = document.getElementById('dialog')
    if (!dialog) return
    dialog.addEventListener('close', () => {
      if (isComing || dialog.open) return
      empty(dialog)
      returnFocus()
    })
    dialog.addEventListener('input', (event) => {
      if (!event.target.closest('[data-not-saved]')) isDirty = true
    })
    dialog.addEventListener('pointerdown', (event) => { pressedOutside = event.target === dialog })
    dialog.addEventListener('click', (event) => press(dialog, event.target))
    // The key comes before the request to close, which browsers let a page refuse only once.
    dialog.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.isComposing) return
      event.preventDefault()
      leave(dialog)
    })
    dialog.addEventListener('cancel', (event) => { // A phone's gesture to go back.
      if (event.target !== dialog || !isDirty) return
      event.preventDefault()
      ask(dialog)
    })
  })
})()
