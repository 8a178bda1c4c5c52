// Draw a specification of Vega-Lite in an element, in the colours of the page.

const DOTS = 2000; // dots drawn at most; more are thinned, and the caption says so
const views = new Map();

function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

const dark = window.matchMedia('(prefers-color-scheme: dark)');

// Return a method's colour, lighter on a dark page.
function readable(hex) {
  if (!dark.matches) return hex;
  const parts = [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
  const light = (0.3 * parts[0] + 0.6 * parts[1] + 0.1 * parts[2]) / 255;
  const share = light < 0.55 ? (0.6 - light) : 0;
  return '#' + parts.map((part) => Math.round(part + (255 - part) * share).toString(16).padStart(2, '0')).join('');
}

// Draw, and return a promise of the view; `place` is the id of the element, `marks` the number of marks.
function draw(place, specification, marks) {
  const host = byId(place);
  if (views.has(place)) views.get(place).finalize();
  const axis = {
    labelColor: colour('--fore'), titleColor: colour('--fore'), gridColor: colour('--line'), domainColor: colour('--soft'),
    tickColor: colour('--soft'), labelFontSize: 12, titleFontSize: 13, titleFontWeight: 'normal', labelFlush: true,
  };
  const whole = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: Math.max(200, host.clientWidth - 5),
    autosize: { type: 'fit', contains: 'padding' },
    background: null,
    config: { view: { stroke: null }, axis, font: 'system-ui, sans-serif' },
    ...specification,
  };
  const inner = element('div');
  host.replaceChildren(inner);
  if (views.has(place)) views.get(place).then((old) => old.finalize());
  const drawn = window.vegaEmbed(inner, whole, {
    mode: 'vega-lite', actions: false, tooltip: false, defaultStyle: false, renderer: marks > 3000 ? 'canvas' : 'svg',
  });
  views.set(place, drawn);
  return drawn.then((result) => result.view);
}

// Return evenly spaced members of an array, `most` at most.
function thinned(rows, most) {
  if (rows.length <= most) return rows;
  return Array.from({ length: most }, (_, i) => rows[Math.floor((i * rows.length) / most)]);
}

// The markers of plots/style.py as shapes of Vega.
const SHAPES = {
  o: 'circle', 8: 'circle', s: 'square', D: 'diamond', d: 'diamond', '^': 'triangle-up', v: 'triangle-down',
  '<': 'triangle-left', '>': 'triangle-right', X: 'cross', P: 'cross', _: 'stroke',
  '*': 'M0,-1L0.24,-0.32L0.95,-0.31L0.38,0.12L0.59,0.81L0,0.4L-0.59,0.81L-0.38,0.12L-0.95,-0.31L-0.24,-0.32Z',
  H: 'M-1,0L-0.5,-0.87L0.5,-0.87L1,0L0.5,0.87L-0.5,0.87Z',
  p: 'M0,-1L0.95,-0.31L0.59,0.81L-0.59,0.81L-0.95,-0.31Z',
  h: 'M0,-1L0.87,-0.5L0.87,0.5L0,1L-0.87,0.5L-0.87,-0.5Z',
};

function shape(marker) { return SHAPES[marker] || 'circle'; }

// Return the channels that give each method its marker and its dash.
function shapes(methods) {
  return { field: 'method', type: 'nominal', legend: null, scale: { domain: methods.map((each) => each.method), range: methods.map((each) => shape(each.marker)) } };
}

function dashes(methods) {
  const range = methods.map((each) => (each.dash.length ? each.dash.map((length) => 2 * length) : [1, 0]));
  return { field: 'method', type: 'nominal', legend: null, scale: { domain: methods.map((each) => each.method), range } };
}

