// Goong's SDK and its geocoder on a page, as a customer would have them. `window.outcome(name)` makes one call of the
// SDK; `window.visit` keeps what happened to the geocoder. The parameters come in the fragment.
'use strict';

const options = Object.fromEntries(new URLSearchParams(window.location.hash.slice(1)));
const calls = goongCalls(goongSdk({ accessToken: options.key, origin: options.base }));
window.callNames = Object.keys(calls);

// In a browser the SDK gives up after 500 ms and never settles: this does in its place, with no status.
const GIVEN_UP_MS = 2000;

window.outcome = async (name) => {
  const request = calls[name]();
  const url = request.url();
  const givenUp = new Promise((resolve) => setTimeout(resolve, GIVEN_UP_MS, { statusCode: null }));
  try {
    const response = await Promise.race([request.send(), givenUp]);
    const isParsed = typeof response.body === 'object';
    return { ok: response.statusCode === 200, status: response.statusCode, url, body: isParsed ? response.body : null };
  } catch (error) {
    return { ok: false, status: error.statusCode || null, url, message: error.message, body: error.body };
  }
};

window.visit = { results: null, result: null, errors: [] };
const geocoder = new GoongGeocoder({ accessToken: options.key, origin: options.base });
geocoder.addTo('#geocoder');
geocoder.on('results', (results) => { window.visit.results = results; });
geocoder.on('result', ({ result }) => { window.visit.result = result; });
geocoder.on('error', ({ error }) => {
  window.visit.errors.push({ status: error.statusCode, message: error.message, url: error.request.url() });
});
