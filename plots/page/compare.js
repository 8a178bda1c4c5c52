// The comparisons of methods: points below dense with bands, and differences with simultaneous intervals.

const EDGE = 3; // points at the edges of the figure of differences
const DEEPEST = { true: 8, false: 50 }; // points, or percent of another metric than accuracy, at a lower edge

// Return the rows of a comparison of the task, counted as the choices say, and whether the choices have such a count.
function compared(folder, what) {
  const count = state.threshold === 'own' && state.x === 'effective_density' ? 'effective' : state.threshold;
  const there = folder.comparisons[count] || folder.comparisons.own;
  return { rows: there ? there[what].filter((row) => row.task === state.task) : [], asked: there === folder.comparisons[count] };
}

function interval(row, at) { return row[`${at}low`] === null ? '' : ` [${signed(row[`${at}low`])}, ${signed(row[`${at}high`])}]`; }

function signed(value) { return (value > 0 ? '+' : '') + value.toFixed(2); }

function drawBands(folder) {
  const { rows, asked } = compared(folder, 'bands');
  const metric = folder.metrics[state.task];
  if (!rows.length) {
    byId('bands').replaceChildren(element('p', { class: 'note' }, 'There is no dense run of this task, or no other one.'));
    byId('bands-caption').textContent = '';
    return;
  }
  const kept = folder.methods.filter((each) => state.methods.has(each.method));
  const named = Object.fromEntries(folder.methods.map((each) => [each.method, each.name]));
  const scale = { domain: kept.map((each) => each.method), range: kept.map((each) => readable(each.colour)) };
  const paint = { field: 'method', type: 'nominal', scale, legend: null };
  const own = rows.filter((row) => state.methods.has(row.method));
  const lowest = Math.min(-1, ...own.map((row) => row.mean));
  const domain = [Math.max(-DEEPEST[metric.accuracy], lowest - 0.5), Math.max(0.8, ...own.map((row) => 1.05 * row.mean))];
  const marked = thinned(unique(rows.map((row) => row.at)), 14);
  const said = own.filter((row) => marked.includes(row.at) && row.mean >= domain[0]).map((row) => ({ ...row,
    text: `${named[row.method]} at a compression of ${row.at.toPrecision(3)}: ${signed(row.mean)} ${metric.unit}${interval(row, '')}, n = ${row.n} of ${row.asked}` }));
  const inside = rows.filter((row) => row.mean > domain[0]);
  const reach = Math.max(...(inside.length ? inside : rows).map((row) => row.at));
  const x = { field: 'at', type: 'quantitative', scale: { type: 'log', nice: false, domain: [rows[0].at, reach] }, axis: { title: AXES.density.title, format: '~r', labelOverlap: true, tickCount: 8 } };
  const y = (field) => ({ field, type: 'quantitative', scale: { domain }, axis: { title: lines(betterThan('dense', metric), 40) } });
  const layers = [
    { data: { values: rows.filter((row) => !state.methods.has(row.method)) }, mark: { type: 'line', clip: true, strokeWidth: 0.8, color: colour('--line'), aria: false },
      encoding: { x, y: y('mean'), detail: { field: 'method', type: 'nominal' } } },
    { data: { values: own.filter((row) => row.low !== null) }, mark: { type: 'area', clip: true, opacity: 0.16, aria: false },
      encoding: { x, y: y('low'), y2: { field: 'high' }, color: paint } },
    { data: { values: own }, mark: { type: 'line', clip: true, strokeWidth: 2, aria: false },
      encoding: { x, y: y('mean'), color: paint, strokeDash: dashes(kept) } },
    { data: { values: said }, mark: { type: 'point', filled: true, clip: true, size: 45 },
      encoding: { x, y: y('mean'), color: paint, shape: shapes(kept), description: { field: 'text' } } },
    { data: { values: [{ zero: 0 }] }, mark: { type: 'rule', strokeDash: [2, 3], color: colour('--soft'), aria: false }, encoding: { y: y('zero') } },
  ];
  draw('bands', { height: 330, description: `${betterThan('dense', metric)}, over compression.`, layer: layers }, said.length).then((view) => {
    view.addEventListener('mousemove', (event, item) => { byId('bands-hover').textContent = (item && item.datum && item.datum.text) || ''; });
  });
  byId('bands-caption').textContent = 'Lines: means over all seeds, read log-linearly between the method\'s own values and never beyond the last. '
    + 'Bands, of the best methods of each family: 95 % intervals of the mean with their pooled variance. Grey: the methods that are not chosen.'
    + (asked ? '' : ' Each run is counted at its own zero threshold.');
}

function showDifferences(folder) {
  const { rows, asked } = compared(folder, 'differences');
  const metric = folder.metrics[state.task];
  const levels = unique(rows.map((row) => row.compression)).sort((a, b) => a - b);
  byId('differences').hidden = !levels.length;
  if (!levels.length) return;
  if (!levels.includes(state.level)) state.level = levels.includes(50) ? 50 : levels[0];
  const kinds = [['difference', 'gmp'], ['above_dense', 'dense']].filter(([key]) => rows.some((row) => row[key] !== null));
  if (!kinds.some(([key]) => key === state.against)) state.against = kinds.length ? kinds[0][0] : 'difference';
  byId('difference-choices').replaceChildren(
    choice('Compression', levels.map((level) => [level, level]), state.level, (value) => { state.level = Number(value); showDifferences(folder); }),
    ...(kinds.length ? [choice('Difference to', kinds, state.against, (value) => { state.against = value; showDifferences(folder); })] : []));
  const named = Object.fromEntries(folder.methods.map((each) => [each.method, each]));
  const here = rows.filter((row) => row.compression === state.level).sort((a, b) => metric.sign * (b.mean - a.mean));
  drawForest(here.filter((row) => row[state.against] !== null), named, metric);
  const columns = [{ head: 'method', value: (row) => (named[row.method] || { name: row.method }).name }, ...Object.keys(here[0]).filter((name) => !['task', 'compression', 'method'].includes(name))
    .map((name) => ({ head: name.replaceAll('_', ' '), value: (row) => row[name],
      text: (row) => (typeof row[name] === 'boolean' ? (row[name] ? 'yes' : 'no') : row[name] === null ? '' : String(row[name])), top: (row) => row.top === true && ['mean', 'top'].includes(name) }))];
  byId('difference-table').replaceChildren(sortable(columns, here, 'Differences'));
  byId('difference-caption').textContent = `Test ${metric.directed} is read at exactly this compression. Bars: Dunnett's simultaneous 95 % intervals over all methods; a hollow mark: the interval holds zero; numbers: methods beyond the edge. `
    + `Differences are in ${metric.accuracy ? 'points' : 'percent, positive where a method is better'}. Methods more than 5 ${metric.unit} below the best have no interval. n of the asked seeds have a result. All seeds.` + (asked ? '' : ' Each run is counted at its own zero threshold.');
}

function drawForest(rows, named, metric) {
  const key = state.against;
  if (!rows.length) {
    byId('forest').replaceChildren(element('p', { class: 'note' }, 'No method has a difference here: it takes two seeds of two methods.'));
    return;
  }
  const values = rows.map((row) => ({ method: row.method, name: (named[row.method] || { name: row.method }).name, value: row[key], low: row[`${key}_low`], high: row[`${key}_high`],
    text: `${row.method}: ${signed(row[key])} ${metric.unit}${interval(row, `${key}_`)}`, hollow: row[`${key}_low`] !== null && row[`${key}_low`] * row[`${key}_high`] <= 0 }));
  const kept = rows.map((row) => named[row.method] || { method: row.method, colour: '#666666', marker: 'o', dash: [] });
  const names = values.map((row) => row.name);
  const y = { field: 'name', type: 'nominal', sort: names, scale: { domain: names }, axis: { title: null, labelLimit: 170 } };
  const widest = Math.max(EDGE, ...rows.map((row) => 1.1 * Math.abs(row[key])));
  const edge = metric.accuracy ? EDGE : Math.min(widest, DEEPEST.false);
  const x = (field) => ({ field, type: 'quantitative', scale: { domain: [-edge, edge], clamp: true }, axis: { title: lines(`${betterThan(key === 'difference' ? 'gmp' : 'dense', metric)} at a compression of ${state.level}`), titleAnchor: 'end', labelOverlap: true } });
  const paint = { field: 'method', type: 'nominal', scale: { domain: kept.map((each) => each.method), range: kept.map((each) => readable(each.colour)) }, legend: null };
  const inside = (row) => Math.abs(row.value) <= edge;
  const beyond = (side) => ({ data: { values: values.filter((row) => !inside(row) && row.value * side > 0) },
    mark: { type: 'text', align: side > 0 ? 'right' : 'left' }, encoding: { y, x: x('value'), color: paint, text: { field: 'value', format: '+.1f' }, description: { field: 'text' } } });
  const mark = (filled) => ({ data: { values: values.filter((row) => inside(row) && row.hollow !== filled) }, mark: { type: 'point', filled, size: 55, strokeWidth: 2 },
    encoding: { y, x: x('value'), color: paint, shape: shapes(kept), description: { field: 'text' } } });
  draw('forest', { height: 80 + 20 * values.length, description: 'Differences between methods with their intervals.', layer: [
    { data: { values: [{ zero: 0 }] }, mark: { type: 'rule', color: colour('--soft'), aria: false }, encoding: { x: x('zero') } },
    { data: { values: values.filter((row) => inside(row) && row.low !== null) }, mark: { type: 'rule', strokeWidth: 1.6, aria: false }, encoding: { y, x: x('low'), x2: { field: 'high' }, color: paint } },
    mark(true), mark(false), beyond(-1), beyond(1)] }, values.length);
}

function showChecklist(folder) {
  const words = { true: 'pass', false: 'fail', null: 'n/a' };
  const failed = folder.checklist.filter((item) => item.passed === false).length;
  byId('checklist-count').textContent = `${failed} of ${folder.checklist.length} items fail: the checklist of Blalock et al. (MLSys 2020), and two on published curves.`;
  byId('checklist-table').replaceChildren(sortable([{ head: 'item', value: (item) => item.number }, { head: 'verdict', value: (item) => words[item.passed], bad: (item) => item.passed === false },
    { head: 'requirement', value: (item) => item.requirement, long: true }, { head: 'reason', value: (item) => item.reason, long: true }], folder.checklist, 'Checklist'));
}

