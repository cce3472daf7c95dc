// Draws the bar chart from what the server put into #usage-data, and keeps it when htmx brings new numbers:
// its element stays (hx-preserve), so nothing flickers. Colours are read from the page's styles, and again on
// "theme:change". What the user has folded out or switched off stays so.
(() => {
  const POLLED = 'usage'
  const PARTS = ['statistics', POLLED] // What is swapped with a chart in it.
  const MOST_WITH_GAPS = 62 // Bars; thinner ones would be all gap.
  const switched = new Map() // A series of the chart → whether the user wants it drawn.
  const folded = new Map() // The id of a <details> → whether it is open.
  let chosen = '' // The id of the box that had the focus: htmx gives it back while its menu is still closed.
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

  // Asked once for each theme: every answer costs the page a layout.
  const styles = new Map()
  function styleOf (className, property) {
    const name = `${className} ${property}`
    if (!styles.has(name)) styles.set(name, readStyle(className, property))
    return styles.get(name)
  }

  function readStyle (className, property) {
    const probe = document.createElement('span')
    probe.className = className
    document.getElementById(POLLED).append(probe)
    const value = getComputedStyle(probe)[property]
    probe.remove()
    return plain(value)
  }

  const isDrawn = (series) => switched.get(series.key) ?? !series.off
  const language = document.documentElement.lang || 'en'
  const whole = new Intl.NumberFormat(language)
  const dollars = new Intl.NumberFormat(language, { style: 'currency', currency: 'USD', maximumFractionDigits: 6 })
  // Money comes in micro-dollars; here it is divided for the eye, and nowhere else.
  const shown = (number, isMoney) => isMoney ? dollars.format(number / 1e6) : whole.format(number)

  const holder = () => document.getElementById('usage-data')
  const data = () => JSON.parse(holder().dataset.chart)
  const words = () => holder().dataset

  // Pales the bars of what is still under way. A colour of its own would have each bar of the chart look up its
  // options alone, and a month by the hour has thousands.
  const veil = {
    id: 'veil',
    afterDatasetDraw ({ ctx }, { meta }, { unfinished, color }) {
      const bar = meta.type === 'bar' ? meta.data[unfinished] : undefined
      if (!bar) return
      const { x, y, base, width } = bar.getProps(['x', 'y', 'base', 'width'])
      ctx.fillStyle = color
      ctx.fillRect(x - width / 2, Math.min(y, base), width, Math.abs(base - y))
    }
  }

  function bars (series) {
    const isThin = series.values.length > MOST_WITH_GAPS
    const color = styleOf(`swatch swatch-${series.swatch}`, 'backgroundColor')
    return {
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

  function line (series, unfinished) {
    const color = styleOf(`swatch swatch-${series.swatch}`, 'backgroundColor')
    return {
      type: 'line',
      borderColor: color,
      backgroundColor: color,
      borderWidth: 2,
      pointRadius: series.values.length > MOST_WITH_GAPS ? 0 : 2,
      pointHitRadius: 12,
      // The way into what is still under way.
      segment: { borderDash: (part) => part.p1DataIndex === unfinished ? [4, 4] : undefined }
    }
  }

  function dataset (series, { lines, unfinished }) {
    return {
      label: series.label,
      data: series.values,
      hidden: !isDrawn(series),
      href: series.href,
      ...(lines ? line(series, unfinished) : bars(series))
    }
  }

  function creditLine (values) {
    return {
      type: 'line',
      label: words().credit,
      data: values,
      yAxisID: 'credit',
      isCredit: true,
      borderColor: styleOf('swatch swatch-credit', 'backgroundColor'),
      backgroundColor: 'transparent',
      borderWidth: 2,
      pointRadius: 0,
      pointHitRadius: 12,
      stepped: 'after'
    }
  }

  function options ({ lines, money, creditLeft, unfinished }) {
    const ink = styleOf('quiet', 'color')
    const rule = styleOf('chart-line', 'backgroundColor')
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12 }
    const ticks = (isMoney) => ({ color: ink, font, precision: isMoney ? undefined : 0, maxTicksLimit: 7, callback: (value) => shown(value, isMoney) })
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      locale: language,
      interaction: { mode: 'index', intersect: false },
      onClick: (event, _, drawn) => follow(event, drawn),
      onHover: (event, _, drawn) => { event.native.target.style.cursor = target(event, drawn) ? 'pointer' : '' },
      scales: {
        x: { stacked: !lines, grid: { display: false }, border: { color: rule }, ticks: { color: ink, font, maxRotation: 0, autoSkipPadding: 16, sampleSize: 100 } },
        y: { stacked: !lines, beginAtZero: true, suggestedMax: money ? undefined : 4, grid: { color: rule }, border: { display: false }, ticks: ticks(money) },
        ...(creditLeft ? { credit: { position: 'right', beginAtZero: true, grid: { display: false }, border: { display: false }, ticks: ticks(true) } } : {})
      },
      plugins: {
        legend: { display: false },
        veil: { unfinished, color: styleOf('chart-ground', 'backgroundColor').replace(/[\d.]+\)$/, '0.6)') },
        tooltip: {
          backgroundColor: 'rgb(22, 32, 50)',
          titleColor: '#fff',
          bodyColor: '#fff',
          footerColor: '#fff',
          padding: 12,
          bodyFont: font,
          titleFont: { ...font, weight: 600 },
          footerFont: { ...font, weight: 600 },
          borderColor: rule,
          borderWidth: 1,
          boxPadding: 4,
          filter: (item) => item.raw > 0 || item.dataset.isCredit,
          itemSort: (a, b) => b.datasetIndex - a.datasetIndex,
          callbacks: {
            title: (items) => items.length ? title(items[0].dataIndex) : '',
            label: (item) => ` ${item.dataset.label}: ${shown(item.raw, money || item.dataset.isCredit)}`,
            footer: (items) => together(items.filter((item) => !item.dataset.isCredit), money)
          }
        }
      }
    }
  }

  function title (index) {
    const { titles, unfinished } = data()
    return index === unfinished ? `${titles[index]} (${words().unfinished})` : titles[index]
  }

  function together (items, money) {
    return items.length > 1 ? `${words().together}: ${shown(items.reduce((sum, item) => sum + item.raw, 0), money)}` : ''
  }

  // Where a click leads: into the bar's day or month where that can be cut finer, else to what was hit alone.
  function target (event, drawn) {
    const [hit] = drawn.getElementsAtEventForMode(event.native, 'nearest', { intersect: true }, true)
    const { hrefs } = data()
    if (!hit) return ''
    return hrefs?.[hit.index] || drawn.data.datasets[hit.datasetIndex].href || ''
  }

  function follow (event, drawn) {
    const url = target(event, drawn)
    if (!url) return
    if (!document.getElementById('statistics')) {
      window.location.assign(url) // On another page than the statistics, which draws this chart too.
      return
    }
    // As a click on a link of the page: the address, and the way back, are htmx's to keep.
    const link = document.createElement('a')
    for (const [name, value] of Object.entries({ href: url, 'hx-get': url, 'hx-target': '#statistics', 'hx-swap': 'outerHTML', 'hx-push-url': 'true', 'hx-sync': '#filters:replace', 'hx-indicator': '#usage' })) link.setAttribute(name, value)
    link.hidden = true
    holder().append(link)
    window.htmx.process(link)
    link.click()
  }

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
    const all = data()
    chart ??= new Chart(canvas, { type: 'bar', data: { labels: [], datasets: [] }, options: {}, plugins: [veil] })
    chart.options = options(all)
    const datasets = all.series.map((series) => dataset(series, all))
    if (all.creditLeft) datasets.push(creditLine(all.creditLeft))
    chart.data = { labels: all.labels, datasets }
    chart.update('none')
    all.series.forEach(showLegend)
  }

  function unfold () {
    for (const details of document.querySelectorAll('#usage details[id], #filters details[id]')) {
      details.open = folded.get(details.id) ?? details.open
      if (details.open && details.hasAttribute('hx-get')) window.htmx.trigger(details, 'toggle') // Opened before htmx came.
    }
    if (document.activeElement === document.body) document.getElementById(chosen)?.focus({ preventScroll: true })
    chosen = ''
  }

  // ---- How old the newest number is, and whether the server still answers ----
  const isPoll = (event) => event.target.matches?.('#usage[hx-trigger], #usage-poll')
  let renderedAt = performance.now()
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'always' })

  function ageText (seconds, justNow) {
    if (seconds < 2) return justNow
    if (seconds < 60) return relative.format(-Math.round(seconds), 'second')
    if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), 'minute')
    if (seconds < 86400) return relative.format(-Math.floor(seconds / 3600), 'hour')
    return relative.format(-Math.floor(seconds / 86400), 'day')
  }

  function showAge () {
    const time = document.querySelector('#usage [data-age-s]')
    if (!time) return
    const text = ageText(Number(time.dataset.ageS) + (performance.now() - renderedAt) / 1000, time.dataset.justNow)
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
    // What asks every second must not raise a toast every second: it says so in its own line.
    for (const name of ['htmx:sendError', 'htmx:timeout', 'htmx:responseError']) {
      document.getElementById('main').addEventListener(name, (event) => {
        if (!isPoll(event)) return
        event.stopPropagation()
        setLost(true)
      })
    }
  })
  document.addEventListener('htmx:configRequest', (event) => {
    const { target, parameters } = event.detail
    if (PARTS.includes(target.id) && document.getElementById('chart-numbers')?.open) parameters.numbers = '1'
  })
  // Asked for when it is opened, and no longer wanted when it is closed.
  const isUnwanted = ({ target }) => target.id === 'chart-numbers' && !target.open
  document.addEventListener('htmx:beforeRequest', (event) => { if (isUnwanted(event)) event.preventDefault() })
  document.addEventListener('htmx:beforeSwap', (event) => {
    if (isUnwanted(event)) event.detail.shouldSwap = false
    const focused = document.activeElement
    if (focused?.closest('#filters details')) chosen = focused.id
  })
  document.addEventListener('htmx:afterSettle', (event) => {
    if (PARTS.includes(event.detail.target.id)) start()
  })
  document.addEventListener('htmx:beforeRequest', (event) => {
    if (isPoll(event) && document.hidden) event.preventDefault()
  })
  document.addEventListener('htmx:afterRequest', (event) => {
    if (isPoll(event) && event.detail.successful) setLost(false)
  })
  document.addEventListener('theme:change', () => {
    styles.clear()
    draw()
  })
  document.addEventListener('toggle', (event) => { if (event.target.id) folded.set(event.target.id, event.target.open) }, true)
  document.addEventListener('click', (event) => {
    const button = event.target.closest('#usage [data-series]')
    if (!button) return
    switched.set(button.dataset.series, button.getAttribute('aria-pressed') !== 'true')
    draw()
  })
})()
