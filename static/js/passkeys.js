// Forms with [data-passkey]: their button asks the browser for a passkey, by allauth's script, and sends the form.
(() => {
  const WAYS = { add: 'addForm', authenticate: 'authenticateForm', login: 'loginForm' }

  document.addEventListener('DOMContentLoaded', () => {
    for (const form of document.querySelectorAll('form[data-passkey]')) {
      const way = form.dataset.passkey
      window.allauth.webauthn.forms[WAYS[way]]({
        ids: {
          [way]: form.querySelector('#passkey-button').id,
          credential: form.querySelector('[name=credential]').id,
          passwordless: form.querySelector('[name=passwordless]')?.id,
          data: form.dataset.passkeyData
        }
      })
    }
  })

  document.addEventListener('allauth.error', (event) => {
    event.preventDefault()
    const text = document.getElementById('words').dataset.noPasskey
    document.dispatchEvent(new CustomEvent('message', { detail: { level: 'error', text } }))
  })
})()
