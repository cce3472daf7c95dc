// Draws the bar chart from what the server put into #usage-data, and keeps it when htmx brings new numbers:
// its element stays (hx-preserve), so nothing flickers. Colours are read from the page's styles, and again on
// "theme:change". What the user has folded out or switched off stays so.
(() => {
  const POLLED = 'usage'
  const MOST_WITH_GAPS = 62 // Bars; thinner ones would be all gap.
  const switched = new Map() // A series of the chart → whether the user wants it drawn.
  const folded = new Map() // The id of a <details> → whether it is open.
  let chart = null

  // Styles may hold light-dark() and color-mix(): a pixel of a canvas has the plain colour.
  const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  function plain (color) {
    pixel.clearRect(0, 0, 1, 1)
    pixel.fillStyle = color
    pixel.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data
    return `rgba(${r}, ${g}, ${b}, ${a / 255})`
  }

  function styleOf (className, property) {
    const probe = document.createElement('span')
    probe.className = className
    document.getElementById(POLLED).append(probe)
    const value = getComputedStyle(probe)[property]
    probe.remove()
    return plain(value)
  }

  const isDrawn = (series) => switched.get(series.key) ?? !series.off
  const count = (number) => number.toLocaleString('en')

  function dataset (series) {
    const isThin = series.values.length > MOST_WITH_GAPS
    const color = styleOf(`swatch swatch-${series.swatch}`, 'backgroundColor')
    return {
      label: series.label,
      data: series.values,
      hidden: !isDrawn(series),
      backgroundColor: color,
      hoverBackgroundColor: color,
      borderColor: styleOf('chart-ground', 'backgroundColor'),
      borderWidth: { top: isThin ? 0 : 1 },
      borderSkipped: false,
      maxBarThickness: 48,
      categoryPercentage: isThin ? 0.9 : 0.82,
      barPercentage: 1
    }
  }

  function options () {
    const ink = styleOf('quiet', 'color')
    const line = styleOf('chart-line', 'backgroundColor')
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12 }
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      locale: 'en',
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { stacked: true, grid: { display: false }, border: { color: line }, ticks: { color: ink, font, maxRotation: 0, autoSkipPadding: 16 } },
        y: { stacked: true, beginAtZero: true, suggestedMax: 4, grid: { color: line }, border: { display: false }, ticks: { color: ink, font, precision: 0, maxTicksLimit: 7 } }
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          backgroundColor: 'rgb(22, 32, 50)',
          titleColor: '#fff',
          bodyColor: '#fff',
          footerColor: '#fff',
          padding: 12,
          bodyFont: font,
          titleFont: { ...font, weight: 600 },
          footerFont: { ...font, weight: 600 },
          borderColor: line,
          borderWidth: 1,
          boxPadding: 4,
          filter: (item) => item.raw > 0,
          itemSort: (a, b) => b.datasetIndex - a.datasetIndex,
          callbacks: {
            title: (items) => items.length ? data().titles[items[0].dataIndex] : '',
            label: (item) => ` ${item.dataset.label}: ${count(item.raw)}`,
            footer: (items) => items.length > 1 ? `Together: ${count(items.reduce((sum, item) => sum + item.raw, 0))}` : ''
          }
        }
      }
    }
  }

  const holder = () => document.getElementById('usage-data')
  const data = () => JSON.parse(holder().dataset.chart)

  function showLegend (series) {
    const button = document.getElementById(`legend-${series.key}`)
    button?.setAttribute('aria-pressed', String(isDrawn(series)))
  }

  function draw () {
    const canvas = holder()?.querySelector('canvas')
    if (chart && chart.canvas !== canvas) {
      chart.destroy()
      chart = null
    }
    if (!canvas) return
    const { labels, series } = data()
    chart ??= new Chart(canvas, { type: 'bar', data: { labels: [], datasets: [] }, options: {} })
    chart.options = options()
    chart.data = { labels, datasets: series.map(dataset) }
    chart.update('none')
    series.forEach(showLegend)
  }

  function unfold () {
    for (const details of document.querySelectorAll('#usage details[id]')) {
      details.open = folded.get(details.id) ?? details.open
    }
  }

  // ---- How old the newest number is, and whether the server still answers ----
  let renderedAt = performance.now()
  const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' })

  function ageText (seconds) {
    if (seconds < 2) return 'just now'
    if (seconds < 60) return relative.format(-Math.round(seconds), 'second')
    if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), 'minute')
    if (seconds < 86400) return relative.format(-Math.floor(seconds / 3600), 'hour')
    return relative.format(-Math.floor(seconds / 86400), 'day')
  }

  function showAge () {
    const time = document.querySelector('#usage [data-age-s]')
    if (!time) return
    const text = ageText(Number(time.dataset.ageS) + (performance.now() - renderedAt) / 1000)
    if (time.textContent !== text) time.textContent = text
  }

  function setLost (isLost) {
    const line = document.querySelector('#usage .freshness')
    line?.classList.toggle('is-lost', isLost)
    const words = line?.querySelector('[data-live-lost]')
    if (words) words.hidden = !isLost
  }

  function start () {
    renderedAt = performance.now()
    unfold()
    draw()
    showAge()
  }

  document.addEventListener('DOMContentLoaded', () => {
    start()
    setInterval(showAge, 1000)
    // What asks every three seconds must not raise a toast every three seconds: it says so in its own line.
    for (const name of ['htmx:sendError', 'htmx:timeout', 'htmx:responseError']) {
      document.getElementById('main').addEventListener(name, (event) => {
        if (event.target.id !== POLLED) return
        event.stopPropagation()
        setLost(true)
      })
    }
  })
  document.addEventListener('htmx:afterSettle', (event) => {
    if (['statistics', POLLED].includes(event.detail.target.id)) start()
  })
  document.addEventListener('htmx:beforeRequest', (event) => {
    if (event.target.id === POLLED && document.hidden) event.preventDefault()
  })
  document.addEventListener('htmx:afterRequest', (event) => {
    if (event.target.id === POLLED && event.detail.successful) setLost(false)
  })
  document.addEventListener('theme:change', draw)
  document.addEventListener('toggle', (event) => { if (event.target.id) folded.set(event.target.id, event.target.open) }, true)
  document.addEventListener('click', (event) => {
    const button = event.target.closest('#usage [data-series]')
    if (!button) return
    switched.set(button.dataset.series, button.getAttribute('aria-pressed') !== 'true')
    draw()
  })
})()
