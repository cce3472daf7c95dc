// The pages of the keys: keys shown, hidden and copied, alone or within programs, and the rows of the restriction list in a key's dialog.
(() => {
  const tell = (level, text) => document.dispatchEvent(new CustomEvent('message', { detail: { level, text } }))

  const words = () => document.getElementById('words').dataset

  // ---- A key's text: asked for when it is wanted, so that the page itself holds none ----

  async function keyText (url) {
    const response = await fetch(url, { cache: 'no-store' }).catch(() => null)
    if (response?.redirected) window.location.reload() // The session has ended, and that was the sign-in page.
    else if (response?.ok) return response.text()
    else if (response?.status === 401) signInAgain(response.headers.get('X-Sign-In-At'))
    else if (response?.status === 409) tell('error', await response.text())
    else tell('error', words().noKey)
    return null
  }

  // The account wants a recent sign-in before a key is shown: afterwards it leads back here.
  function signInAgain (url) {
    window.location.assign(`${url}?next=${encodeURIComponent(window.location.pathname + window.location.search)}`)
  }

  async function toggle (button) {
    const code = button.closest('.key-cell').querySelector('.key-text')
    const isShown = button.getAttribute('aria-pressed') === 'true'
    const text = isShown ? code.dataset.masked : await keyText(button.dataset.keyShow)
    if (text === null) return
    code.dataset.masked ??= code.textContent
    code.textContent = text
    button.setAttribute('aria-pressed', String(!isShown))
    button.title = isShown ? words().showKey : words().hideKey
  }

  // Has copy.js do it, which looks at [data-copy].
  async function copy (button) {
    const text = await keyText(button.dataset.keyCopy)
    if (text === null) return
    button.dataset.copy = text
    button.click()
    delete button.dataset.copy
  }

  // ---- Programs to copy: with the whole key in place of its masked text, in what is copied or in the page ----

  const filled = (pre, text) => pre.textContent.replaceAll(pre.dataset.masked, text)

  async function fillAll (button) {
    const isShown = button.getAttribute('aria-pressed') === 'true'
    const text = isShown ? null : await keyText(button.dataset.snippetsShow)
    if (!isShown && text === null) return
    for (const pre of document.querySelectorAll('.snippet')) {
      pre.dataset.plain ??= pre.textContent
      pre.textContent = isShown ? pre.dataset.plain : filled(pre, text)
    }
    button.setAttribute('aria-pressed', String(!isShown))
  }

  async function copySnippet (button) {
    const text = await keyText(button.dataset.snippetCopy)
    if (text === null) return
    button.dataset.copy = filled(button.parentElement.querySelector('.snippet'), text)
    button.click()
    delete button.dataset.copy
  }

  // ---- The restriction list: one row for each entry, never none ----

  const list = () => document.getElementById('entries')
  const inputs = () => [...list().querySelectorAll('input')]

  function addAfter (row, text = '') {
    const added = list().lastElementChild.cloneNode(true)
    const input = added.querySelector('input')
    input.value = text
    clear(added)
    row.after(added)
    htmx.process(added)
    return input
  }

  function clear (row) {
    row.querySelector('.entry-note').replaceChildren()
    mark(row, false)
  }

  function mark (row, isInvalid) {
    const input = row.querySelector('input')
    input.classList.toggle('is-invalid', isInvalid)
    if (isInvalid) input.setAttribute('aria-invalid', 'true')
    else input.removeAttribute('aria-invalid')
  }

  function remove (row) {
    const next = row.nextElementSibling || row.previousElementSibling
    if (next) row.remove()
    else {
      row.querySelector('input').value = ''
      clear(row)
    }
    (next || row).querySelector('input').focus()
    list().dispatchEvent(new Event('input', { bubbles: true }))
  }

  function isFull (nMore) {
    const max = Number(list().dataset.max)
    const filled = inputs().filter((input) => input.value.trim()).length
    if (filled + nMore <= max) return false
    tell('warning', list().dataset.full)
    return true
  }

  function add () {
    const empty = inputs().find((input) => !input.value.trim())
    if (empty) empty.focus()
    else if (!isFull(1)) addAfter(list().lastElementChild).focus()
  }

  function paste (input, lines) {
    if (isFull(lines.length)) return
    let row = input.closest('.entry')
    for (const line of lines) {
      if (!input.value.trim()) input.value = line
      else row = addAfter(row, line).closest('.entry')
    }
    row.querySelector('input').focus()
    list().dispatchEvent(new Event('input', { bubbles: true })) // Something has been typed, for the dialog.
    htmx.trigger(list(), 'entries:check')
  }

  // An entry that the page offers: beside the others, or instead of the one that it was offered for.
  function take (button) {
    const text = button.dataset.entryOffer
    const row = 'entryInstead' in button.dataset ? button.closest('.entry') : null
    let input = row?.querySelector('input') || inputs().find((input) => !input.value.trim())
    if (!input && isFull(1)) return
    input ||= addAfter(list().lastElementChild)
    input.value = text
    input.focus()
    input.dispatchEvent(new Event('input', { bubbles: true }))
  }

  // From the replay of a list for report only. Nothing happens while the form is on its way already.
  function enforce (form) {
    if (form.querySelector('[type=submit]').disabled) return
    form.elements.restrictions_mode.value = 'enforced'
    form.requestSubmit()
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button')
    if (!button) return
    if (button.dataset.keyShow) toggle(button)
    else if (button.dataset.keyCopy && button.dataset.copy === undefined) copy(button)
    else if (button.dataset.snippetsShow) fillAll(button)
    else if (button.dataset.snippetCopy && button.dataset.copy === undefined) copySnippet(button)
    else if ('entryAdd' in button.dataset) add()
    else if ('entryOffer' in button.dataset) take(button)
    else if ('enforce' in button.dataset) enforce(button.form)
    else if ('entryRemove' in button.dataset) remove(button.closest('.entry'))
  })

  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing || !event.target.matches('#entries input, .tester input')) return
    event.preventDefault() // A form would be sent.
    if (event.target.closest('#entries')) add()
  })

  document.addEventListener('paste', (event) => {
    if (!event.target.matches?.('#entries input')) return
    const lines = event.clipboardData.getData('text').split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean)
    if (lines.length < 2) return
    event.preventDefault()
    paste(event.target, lines)
  })

  document.addEventListener('htmx:afterSwap', (event) => {
    const { target } = event.detail
    if (target.id === 'entries') (list().querySelector('[aria-invalid]') || inputs().at(-1)).focus()
    const row = target.closest?.('.entry')
    if (row) mark(row, Boolean(row.querySelector('.entry-error')))
  })
})()
