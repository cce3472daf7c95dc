// Makes every call of Goong's SDK and prints what came of each as one JSON object:
// {call: {ok, status, url, body}} or {call: {ok, status, url, message}}.
// Usage: node goong_sdk.cjs BASE_URL KEY [PAUSE_MS] [CALL,CALL,…]
'use strict';

const createClient = require('@goongmaps/goong-sdk');
const autocomplete = require('@goongmaps/goong-sdk/services/autocomplete');
const directions = require('@goongmaps/goong-sdk/services/directions');
const distanceMatrix = require('@goongmaps/goong-sdk/services/distancematrix');
const geocoding = require('@goongmaps/goong-sdk/services/geocoding');
const staticMap = require('@goongmaps/goong-sdk/services/static');

const [origin, accessToken, pauseText = '0', namesText = ''] = process.argv.slice(2);
const client = createClient({ accessToken, origin });
const start = '20.981971,105.864323';
const end = '21.031011,105.783206';

const calls = {
  autocomplete: () => autocomplete(client).search({ input: '91 Trung Kính', limit: 3, more_compound: true }),
  place_detail: () => autocomplete(client).placeDetail({ placeid: '0WmA4vbeody2J9AEvVM9YE3ZN85z7Mrw' }),
  forward_geocode: () => geocoding(client).forwardGeocode({ address: '91 Trung Kính, Hà Nội' }),
  reverse_geocode: () => geocoding(client).reverseGeocode({ latlng: '21.0137443130001,105.798346108' }),
  // As published, this one asks for an address too.
  geocode_place_detail: () => geocoding(client).placeDetail({ address: '91 Trung Kính' }),
  directions: () =>
    directions(client).getDirections({ origin: start, destination: end, alternatives: true, vehicle: 'car' }),
  distance_matrix: () =>
    distanceMatrix(client).getMatrix({ origins: start, destinations: `${end}|${start}`, vehicle: 'bike' }),
  static_map: () =>
    staticMap(client).getStaticImage({ origin: start, destination: end, width: 300, height: 200, color: '#253494' }),
};

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
