// Makes every call of Goong's SDK and prints what came of each as one JSON object:
// {call: {ok, status, url, body}} or {call: {ok, status, url, message}}.
// Usage: node goong_sdk.cjs BASE_URL KEY [PAUSE_MS] [CALL,CALL,…]
'use strict';

const createClient = require('@goongmaps/goong-sdk');
const goongCalls = require('./pages/goong_calls.js');

const [origin, accessToken, pauseText = '0', namesText = ''] = process.argv.slice(2);
const client = createClient({ accessToken, origin });
// The bundle for browsers comes with these on the client; in node each is a module of its own.
for (const name of ['autocomplete', 'directions', 'distancematrix', 'geocoding', 'static']) {
  client[name] = require(`@goongmaps/goong-sdk/services/${name}`)(client);
}
const calls = goongCalls(client);

async function outcome(request) {
  const url = request.url();
  try {
    const response = await request.send();
    const { body } = response;
    // The picture comes as a binary string, which JSON would not carry unharmed.
    const isText = typeof body === 'string';
    const shown = isText ? Buffer.from(body, 'binary').toString('base64') : body;
    return { ok: true, status: response.statusCode, url, body: shown };
  } catch (error) {
    return { ok: false, status: error.statusCode || null, url, message: error.message, body: error.body };
  }
}

async function main() {
  const names = namesText ? namesText.split(',') : Object.keys(calls);
  const outcomes = {};
  for (const name of names) {
    outcomes[name] = await outcome(calls[name]());
    await new Promise((resolve) => setTimeout(resolve, Number(pauseText)));
  }
  process.stdout.write(JSON.stringify(outcomes));
}

main();
