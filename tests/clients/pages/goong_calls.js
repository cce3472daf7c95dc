// Every call of Goong's SDK by name, as the requests that `send()` will make; for node and for a page.
'use strict';

// `client` is what createClient gives, with its services on it under the names that the browser's bundle uses.
function goongCalls(client) {
  const start = '20.981971,105.864323';
  const end = '21.031011,105.783206';
  return {
    autocomplete: () => client.autocomplete.search({ input: '91 Trung Kính', limit: 3, more_compound: true }),
    place_detail: () => client.autocomplete.placeDetail({ placeid: '0WmA4vbeody2J9AEvVM9YE3ZN85z7Mrw' }),
    forward_geocode: () => client.geocoding.forwardGeocode({ address: '91 Trung Kính, Hà Nội' }),
    reverse_geocode: () => client.geocoding.reverseGeocode({ latlng: '21.0137443130001,105.798346108' }),
    // As published, this one asks for an address too.
    geocode_place_detail: () => client.geocoding.placeDetail({ address: '91 Trung Kính' }),
    directions: () =>
      client.directions.getDirections({ origin: start, destination: end, alternatives: true, vehicle: 'car' }),
    distance_matrix: () =>
      client.distancematrix.getMatrix({ origins: start, destinations: `${end}|${start}`, vehicle: 'bike' }),
    static_map: () =>
      client.static.getStaticImage({ origin: start, destination: end, width: 300, height: 200, color: '#253494' }),
  };
}

if (typeof module === 'object') module.exports = goongCalls;
