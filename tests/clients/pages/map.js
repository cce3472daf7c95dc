// Opens a map as a customer's page would, and keeps on `window.visit` what happened to it.
// Its parameters come in the fragment, which no server and no Referer ever sees.
'use strict';

const options = Object.fromEntries(new URLSearchParams(window.location.hash.slice(1)));
window.visit = { loaded: false, idle: false, errors: [] };

// MapLibre knows no key: it has what stands in the style's URL, and in the URLs that the style names.
const library = window.goongjs || window.maplibregl;
if (window.goongjs) {
  goongjs.accessToken = options.key;
  goongjs.baseApiUrl = options.base;
}

const map = new library.Map({
  container: 'map',
  style: options.style,
  center: [Number(options.lng), Number(options.lat)],
  zoom: Number(options.zoom),
  fadeDuration: 0,
});
window.map = map;
map.on('load', () => { window.visit.loaded = true; });
map.on('idle', () => { window.visit.idle = true; });
map.on('error', ({ error }) => {
  window.visit.errors.push({ status: error.status || null, message: error.message, url: error.url || '' });
});
window.renderedLayers = () => {
  const counts = {};
  for (const feature of map.queryRenderedFeatures()) {
    counts[feature.layer.id] = (counts[feature.layer.id] || 0) + 1;
  }
  return counts;
};
