// Gives Chart.js the letters and colours of the site, and again whenever the theme changes. Load it after Chart.js.
// `chartTheme.series(0)` is the first of eight colours; `chartTheme.colour('--gd-quiet')` any of goongdash.css.
window.chartTheme = (() => {
  // A custom property reads as it was written (`light-dark(…)`); only a colour in use is computed.
  function colour (name) {
    const probe = document.createElement('i')
    probe.style.color = `var(${name})`
    document.body.append(probe)
    const computed = getComputedStyle(probe).color
    probe.remove()
    return computed
  }

  const series = (index) => colour(`--gd-series-${index % 8 + 1}`)

  function apply () {
    const { Chart } = window
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily
    Chart.defaults.font.size = 13
    Chart.defaults.color = colour('--gd-quiet')
    Chart.defaults.borderColor = colour('--gd-line')
    Chart.defaults.plugins.legend.labels.boxWidth = 12
    Chart.defaults.plugins.legend.labels.boxHeight = 12
    if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) Chart.defaults.animation = false
  }

  apply()
  document.addEventListener('theme:change', apply) // Charts that redraw on the same event are later listeners.
  return { colour, series }
})()
