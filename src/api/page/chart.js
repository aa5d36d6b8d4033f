// Time series drawn by dygraphs, with thresholds, alerts, and a legend of our own (the library's is markup, ours is text).

import { h, patch } from './dom.js';
import { stamp } from './times.js';
import { axisTop } from './series.js';

let library = null;

/** Fetched when the first chart is wanted, not before the page is painted. */
function dygraphs() {
  library ??= new Promise((resolve, reject) => {
    document.head.append(h('link', { rel: 'stylesheet', href: '/assets/dygraph.css' }));
    const script = h('script', { src: '/assets/dygraph.min.js' });
    script.addEventListener('load', () => resolve(bare(window.Dygraph)));
    script.addEventListener('error', () => {
      library = null;
      script.remove();
      reject(new Error('the chart library could not be loaded'));
    });
    document.head.append(script);
  });
  return library;
}

// Without its legend and labels, which are markup with inline styles: the page's policy forbids those.
function bare(Dygraph) {
  const { Legend, ChartLabels, RangeSelector } = Dygraph.Plugins;
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((each) => ![Legend, ChartLabels, RangeSelector].includes(each));
  return Dygraph;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// With a halo, so that it can be read over the traffic.
function drawLabel(context, text, tone, x, y) {
  context.setLineDash([]);
  context.lineWidth = 4;
  context.lineJoin = 'round';
  context.strokeStyle = colour('--surface');
  context.strokeText(text, x, y);
  context.fillStyle = colour(tone === 'plain' ? '--muted' : '--bad-text');
  context.fillText(text, x, y);
}

/** Dashed lines at thresholds, bands where alerts were. */
function drawMarks(context, area, graph, { thresholds, alerts, format }) {
  context.save();
  for (const alert of alerts) {
    const left = Math.max(area.x, graph.toDomXCoord(alert.from.getTime()));
    const right = Math.min(
      area.x + area.w,
      alert.to ? graph.toDomXCoord(alert.to.getTime()) : area.x + area.w,
    );
    if (right < area.x || left > area.x + area.w) continue;
    context.fillStyle = colour('--chart-alert');
    context.fillRect(left, area.y, Math.max(2, right - left), area.h);
    context.fillStyle = colour('--bad');
    context.fillRect(left, area.y, Math.max(2, right - left), 3);
  }
  context.font = `12px ${colour('--font')}`;
  for (const threshold of thresholds) {
    const y = graph.toDomYCoord(threshold.value);
    if (y < area.y || y > area.y + area.h) continue;
    const isPlain = threshold.tone === 'plain';
    context.strokeStyle = colour(isPlain ? '--muted' : '--bad');
    context.lineWidth = 1.5;
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(area.x, y);
    context.lineTo(area.x + area.w, y);
    context.stroke();
    drawLabel(
      context,
      `${threshold.name} · ${format(threshold.value)}`.slice(0, 60),
      threshold.tone,
      area.x + 6,
      y < area.y + 18 ? y + 14 : y - 5,
    );
  }
  context.restore();
}

/**
 * One chart. `element` goes into the document once and stays. Options of show(): `rows` ([Date, value…]), `series` ([{name,
 * colour}]), `stacked`, `format`, `window` {from, to}, `thresholds` [{name, value, tone}], `alerts` [{from, to|null}], `summary`
 * (the text alternative), `zoomed(from, to)`.
 */
export class Chart {
  #graph = null;
  #options = null;
  #hovered = null;
  #drawing = false;
  #again = false;

  constructor(name) {
    this.canvas = h('div', { class: 'chart-canvas', 'aria-hidden': 'true' });
    this.legend = h('div', { class: 'legend' });
    this.text = h('p', { class: 'chart-text', id: `${name}-text` });
    this.data = h('details', { class: 'chart-data' });
    this.element = h(
      'figure',
      { class: 'chart', 'aria-label': name, 'aria-describedby': `${name}-text` },
      this.canvas,
      this.legend,
      h('figcaption', null, this.text, this.data),
    );
    this.name = name;
  }

  attach(place) {
    if (!place || this.element.parentNode === place) return;
    place.replaceChildren(this.element);
    this.#graph?.resize();
  }

  async show(options) {
    this.#options = options;
    this.text.textContent = options.summary;
    this.#fillTable();
    if (this.#drawing) {
      this.#again = true;
      return;
    }
    this.#drawing = true;
    try {
      const Dygraph = await dygraphs();
      if (this.element.isConnected) this.#draw(Dygraph);
    } catch (failure) {
      patch(
        this.canvas,
        h(
          'p',
          { class: 'state failed' },
          `No chart: ${failure.message}. The figures are in the table below.`,
        ),
      );
    }
    this.#drawing = false;
    if (this.#again) {
      this.#again = false;
      this.show(this.#options);
    }
  }

  /** Colours changed. */
  redraw() {
    if (!this.#graph) return;
    this.destroy();
    this.show(this.#options);
  }

  destroy() {
    this.#graph?.destroy();
    this.#graph = null;
  }

  #draw(Dygraph) {
    const { rows, series, stacked, format, window, thresholds } = this.#options;
    const sums = rows.map((row) =>
      stacked
        ? row.slice(1).reduce((sum, value) => sum + (value ?? 0), 0)
        : Math.max(0, ...row.slice(1).map((value) => value ?? 0)),
    );
    const changing = {
      file: rows.length ? rows : [[window.from, ...series.map(() => null)]],
      dateWindow: [window.from.getTime(), window.to.getTime()],
      valueRange: [
        0,
        axisTop(
          Math.max(0, ...sums),
          thresholds.map((each) => each.value),
        ),
      ],
      colors: series.map((each) => colour(each.colour)),
    };
    if (this.#graph && this.#graph.numColumns() === series.length + 1) {
      this.#graph.updateOptions(changing);
    } else {
      this.destroy();
      this.canvas.replaceChildren();
      const { file, ...others } = changing;
      this.#graph = new Dygraph(this.canvas, file, { ...others, ...this.#fixed(format) });
    }
    this.#showLegend();
  }

  #fixed(format) {
    const { series, stacked } = this.#options;
    return {
      labels: ['time', ...series.map((_, at) => `s${at}`)],
      labelsUTC: true,
      legend: 'never',
      stackedGraph: Boolean(stacked),
      fillGraph: true,
      fillAlpha: stacked ? 0.5 : 0.15,
      strokeWidth: stacked ? 1 : 2,
      stackedGraphNaNFill: 'none',
      connectSeparatedPoints: false,
      gridLineColor: colour('--line'),
      axisLineColor: colour('--line'),
      gridLineWidth: 1,
      highlightCircleSize: 3,
      animatedZooms: false,
      axes: {
        y: {
          axisLabelFormatter: (value) => format(value).replace(/\.0+(?= )/, ''),
          axisLabelWidth: 76,
          pixelsPerLabel: 44,
        },
        x: { pixelsPerLabel: 72 },
      },
      underlayCallback: (context, area, graph) => drawMarks(context, area, graph, this.#options),
      highlightCallback: (_event, _x, _points, row) => this.#hover(row),
      unhighlightCallback: () => this.#hover(null),
      zoomCallback: (from, to) => this.#options.zoomed?.(new Date(from), new Date(to)),
    };
  }

  #hover(row) {
    this.#hovered = row;
    this.#showLegend();
  }

  #showLegend() {
    const { rows, series, format, stacked } = this.#options;
    const isHovered = this.#hovered !== null && this.#hovered < rows.length;
    const latest = rows.findLast((row) => row.slice(1).some((value) => value !== null));
    const row = isHovered ? rows[this.#hovered] : latest;
    const isCollected = row?.slice(1).some((value) => value !== null);
    const total = stacked && isCollected ? row.slice(1).reduce((sum, value) => sum + (value ?? 0), 0) : null;
    patch(
      this.legend,
      h(
        'span',
        { class: 'legend-time', key: 'time' },
        row ? `${isHovered ? '' : 'latest: '}${stamp(row[0])}` : 'no minute collected',
      ),
      total === null
        ? null
        : h('span', { key: 'total', class: 'legend-item strong' }, 'Total ', h('b', null, format(total))),
      row && !isCollected ? h('span', { key: 'gap', class: 'legend-item' }, 'not collected') : null,
      series.map((each, at) =>
        h(
          'span',
          { class: 'legend-item', key: each.name },
          h('i', { style: { background: `var(${each.colour})` } }),
          `${each.name} `,
          h('b', null, row ? format(row[at + 1]) : '–'),
        ),
      ),
    );
  }

  // Everybody who cannot see or hover gets the figures: at most 60 rows, the largest of each stretch.
  #fillTable() {
    const { rows, series, format } = this.#options;
    const stretch = Math.max(1, Math.ceil(rows.length / 60));
    const shown = [];
    for (let at = 0; at < rows.length; at += stretch) {
      const part = rows.slice(at, at + stretch);
      const weight = (row) => row.slice(1).reduce((sum, value) => sum + (value ?? 0), 0);
      shown.push(part.reduce((best, row) => (weight(row) > weight(best) ? row : best)));
    }
    patch(
      this.data,
      h('summary', null, 'Figures as a table'),
      h(
        'div',
        { class: 'table-box', tabindex: '0', role: 'group', 'aria-label': `Figures of ${this.name}` },
        h(
          'table',
          null,
          h(
            'thead',
            null,
            h(
              'tr',
              null,
              h('th', { scope: 'col' }, 'Time (UTC)'),
              series.map((each) => h('th', { scope: 'col', class: 'number' }, each.name)),
            ),
          ),
          h(
            'tbody',
            null,
            shown.map((row) =>
              h(
                'tr',
                { key: row[0].getTime() },
                h('th', { scope: 'row' }, stamp(row[0])),
                row
                  .slice(1)
                  .map((value) =>
                    h('td', { class: 'number' }, value === null ? 'not collected' : format(value)),
                  ),
              ),
            ),
          ),
        ),
      ),
    );
  }
}
