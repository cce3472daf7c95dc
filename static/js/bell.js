// The bell in the header: while the page can be seen, it asks every ten seconds what is unread. A notice that has
// come since is shown as a toast. What goes wrong is not worth a word: the next answer makes it good.
(() => {
  const EVERY_MS = 10000
  const LEVELS = { info: 'info', warn: 'warning', bad: 'warning' }
  let timer = null
  let newest = null // The newest unread notice that this page knows; unknown until the first answer.

  const bell = () => document.querySelector('[data-bell]')
  const count = () => Number(bell().querySelector('[data-unread]')?.dataset.unread)

  function take (html) {
    const before = count()
    const parsed = new DOMParser().parseFromString(html, 'text/html')
    const mark = parsed.querySelector('[data-unread]')
    if (!mark) return
    bell().replaceChildren(...parsed.body.childNodes)
    const { newest: id, title, tone } = mark.dataset
    const isNew = newest === null ? count() > before : Number(id || 0) > newest
    if (isNew && title) {
      document.dispatchEvent(new CustomEvent('message', { detail: { level: LEVELS[tone], text: title } }))
    }
    newest = Math.max(newest || 0, Number(id || 0))
  }

  async function ask () {
    timer = null
    try {
      const answer = await fetch(bell().dataset.bell, { headers: { 'HX-Request': 'true' }, redirect: 'error' })
      if (answer.ok) take(await answer.text())
    } catch { /* The server is away, or the session has ended: the person's next click tells. */ }
    plan()
  }

  function plan () {
    if (timer === null && bell() && document.visibilityState === 'visible') timer = setTimeout(ask, EVERY_MS)
  }

  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer)
    timer = null
    if (document.visibilityState === 'visible' && bell()) ask()
  })
  document.addEventListener('DOMContentLoaded', plan)
})()
