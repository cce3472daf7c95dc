// [data-copy="text"] and [data-copy-from="#id"] copy on a click, and say so on the button for two seconds.
(() => {
  const SHOWN_MS = 2000
  const words = () => document.getElementById('words').dataset

  function textOf (button) {
    if (button.dataset.copy !== undefined) return button.dataset.copy
    const source = document.querySelector(button.dataset.copyFrom)
    return source ? (source.value ?? source.textContent.trim()) : ''
  }

  // Browsers have no clipboard API on plain http (but for localhost): select a text and copy it the old way.
  function copyBySelection (text, near) {
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'visually-hidden'
    near.after(area) // Beside the button: outside an open dialog nothing takes the focus.
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    near.focus()
    return done
  }

  async function copy (text, near) {
    try {
      await navigator.clipboard.writeText(text)
      return true
    } catch {
      return copyBySelection(text, near)
    }
  }

  function announce (button, done) {
    const region = document.getElementById('copy-status') || document.createElement('span')
    region.id = 'copy-status'
    region.className = 'visually-hidden'
    region.setAttribute('role', 'status')
    button.after(region)
    setTimeout(() => { region.textContent = done ? words().copied : words().copyFailed }, 50)
  }

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy], [data-copy-from]')
    if (!button) return
    const done = await copy(textOf(button), button)
    const state = done ? 'is-copied' : 'is-failed'
    const label = button.dataset.copyLabel ??= button.querySelector('[data-copy-text]')?.textContent ?? ''
    const text = button.querySelector('[data-copy-text]')
    button.classList.add(state)
    if (text) text.textContent = done ? words().copied : words().copyByHand
    announce(button, done)
    clearTimeout(button.copyTimer)
    button.copyTimer = setTimeout(() => {
      button.classList.remove('is-copied', 'is-failed')
      if (text) text.textContent = label
    }, SHOWN_MS)
  })
})()
