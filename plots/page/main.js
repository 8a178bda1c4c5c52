// The choices of the page, kept in its address, and what follows from them.

let folders = [];
const state = { folder: 0, task: '', x: 'density', threshold: 'own', range: '15', seeds: null, allSeeds: 0, methods: new Set(), run: '', metric: '', level: 50, against: 'difference' };

function prepare(data) {
  const curves = unpack(data.curves.curves);
  curves.forEach((curve, i) => { curve.end = i + 1 < curves.length ? curves[i + 1].start : data.curves.epochs.length; });
  const readers = withScores(readersOf(data.runs), data.metrics);
  const rows = (table) => rowsOf(readersOf(table), table.rows);
  return { ...data, readers, runs: rowsOf(readers, data.runs.rows), thresholds: rows(data.thresholds), layers: rows(data.layers),
    trials: data.trials && unpack(data.trials),
    comparisons: Object.fromEntries(Object.entries(data.comparisons).map(([count, tables]) => [count, { bands: unpack(tables.bands), differences: unpack(tables.differences) }])), curves: { ...data.curves, curves } };
}

function choice(label, options, value, change) {
  const select = element('select', { onchange: (event) => change(event.target.value) },
    ...options.map(([key, text]) => element('option', { value: key, selected: String(key) === String(value) }, text)));
  return element('label', {}, label, select);
}

// Choose the best method of each family, as the leaderboard ranks them.
function leaders(folder) {
  const ranked = (folder.boards[state.task] || { own: { lines: [] } }).own.lines.map((line) => line[0]);
  const family = Object.fromEntries(folder.methods.map((each) => [each.method, each.family]));
  const first = unique(ranked.map((method) => family[method])).filter((name) => name !== 'control').map((name) => ranked.find((method) => family[method] === name));
  return new Set(first.slice(0, 6));
}

function setTask(task) {
  const folder = folders[state.folder].ready;
  const tasks = unique(folder.runs.map((run) => run.task)).sort();
  state.task = tasks.includes(task) ? task : tasks[0];
  state.seeds = new Set(folder.runs.filter((run) => run.task === state.task).map((run) => run.seed));
  state.allSeeds = state.seeds.size;
  state.methods = leaders(folder);
}

// Read the choices from the address, as in #task=toy&x=theoretical_speedup&methods=gmp;snip.
function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  state.folder = Math.max(0, DATA.folders.findIndex((folder) => folder.name === asked.get('folder')));
  setTask(asked.get('task'));
  if (asked.get('x') in AXES) state.x = asked.get('x');
  if (asked.get('range') in RANGES) state.range = asked.get('range');
  if (asked.has('threshold')) state.threshold = asked.get('threshold');
  if (asked.has('methods')) state.methods = new Set(asked.get('methods').split(';'));
  if (asked.has('seeds')) state.seeds = new Set(asked.get('seeds').split(';').map(Number));
  if (asked.has('level')) state.level = Number(asked.get('level'));
  if (asked.has('against')) state.against = asked.get('against');
  state.run = asked.get('run') || '';
}

function toAddress(folder) {
  const kept = { folder: folder.name, task: state.task, x: state.x, range: state.range, threshold: state.threshold,
    level: state.level, against: state.against,
    methods: [...state.methods].join(';'), run: state.run };
  if (state.seeds.size < state.allSeeds) kept.seeds = [...state.seeds].join(';');
  try { history.replaceState(null, '', `#${new URLSearchParams(kept)}`); } catch { /* some browsers refuse this for files */ }
}

function show() {
  const folder = folders[state.folder].ready;
  const at = counted(folder, state.threshold);
  const here = at.runs.filter((run) => run.task === state.task && run.shown && state.seeds.has(run.seed));
  const inFigure = here.filter((run) => run.method === 'dense' || state.methods.has(run.method));
  if (!inFigure.some((run) => run.key === state.run)) state.run = (inFigure.find((run) => measured(run) && run.method !== 'dense') || inFigure[0] || { key: '' }).key;
  const press = (key) => { state.run = key; show(); };
  const metric = folder.metrics[state.task];
  byId('front-title').textContent = `${state.task}: ${metric.name} against compression`;
  const figure = drawFront(state, here, folder.methods, metric, press);
  const notes = figure.notes;
  followKeys(figure.points, press);
  if (at.lacking) notes.push(`${at.lacking} penalty runs are left out: they were not counted at this threshold.`);
  if (state.threshold !== 'own') notes.push(`Counted as zero in penalty runs: |w| < ${state.threshold}.`);
  byId('caption').textContent = notes.filter(Boolean).join(' ') + ' ' + folder.note;
  showRuns(folder, inFigure, press);
  drawBands(folder);
  showDifferences(folder);
  showBoard(folder);
  drawRun(folder, state);
  toAddress(folder);
}

function showRuns(folder, runs, press) {
  const names = Object.fromEntries(folder.methods.map((each) => [each.method, each.name]));
  const plain = ['value', 'seed', 'density', 'compression', 'effective_compression', 'total_compression', 'theoretical_speedup', 'file_compression', 'measured_speedup', ...(folder.metrics[state.task].accuracy ? ['val_accuracy', 'test_accuracy'] : ['val_metric', 'test_metric']), 'status'];
  const columns = [{ head: 'run', value: (run) => names[run.method] || run.method, press },
    ...plain.map((name) => ({ head: headOf(name, folder.metrics[state.task]), value: (run) => run[name] }))];
  columns[0].press = (run) => press(run.key);
  byId('run-table').replaceChildren(sortable(columns, runs, 'Runs in this figure', (run) => run.key === state.run));
  const all = Object.keys(DATA.folders[state.folder].runs.columns).filter((name) => name !== 'shown');
  byId('download').onclick = () => download(`${folder.name}-chosen-runs.csv`, runs, all);
  byId('download-all').onclick = () => download(`${folder.name}-runs.csv`, folder.runs, all);
}

function headOf(name, metric) { return name.replace('metric', metric.name).replace('val_', 'validation ').replaceAll('_', ' '); }

function showBoard(folder) {
  const boards = folder.boards[state.task] || {};
  const count = state.threshold === 'own' && state.x === 'effective_density' ? 'effective' : state.threshold;
  const board = boards[count] || boards.own;
  if (!board) { byId('board-table').replaceChildren('There is no leaderboard of this task.'); return; }
  const names = Object.fromEntries(folder.methods.map((each) => [each.method, each.name]));
  const columns = [{ head: 'method', value: (line) => [names[line[0]] || line[0], board.marks[line[0]]].filter(Boolean).join(' ') }, ...board.columns.map((head, i) => ({
    head, value: (line) => line[i + 1].sort, text: (line) => line[i + 1].text, top: (line) => line[i + 1].top }))];
  const differs = board === boards[count] ? '' : ' This table counts each run at its own zero threshold.';
  byId('board-heading').textContent = `${board.heading}. All methods and seeds.${differs}`;
  byId('board-table').replaceChildren(sortable(columns, board.lines, 'Leaderboard'));
  byId('board-note').textContent = board.note.replaceAll('`', '').replace('Bold: the top', 'Bold and tinted: the top');
}

// Fill the parts that depend on the folder and the task alone.
function showFolder() {
  const folder = folders[state.folder].ready;
  const again = (change) => (value) => { change(value); showFolder(); };
  const tasks = unique(folder.runs.map((run) => run.task)).sort();
  byId('place').replaceChildren(
    ...(folders.length > 1 ? [choice('Experiment', DATA.folders.map((each, i) => [i, each.name]), state.folder,
      again((value) => { state.folder = Number(value); state.threshold = 'own'; setTask(state.task); }))] : []),
    choice('Task', tasks.map((task) => [task, task]), state.task, again(setTask)));
  const thresholds = unique(folder.thresholds.map((row) => String(row.threshold)));
  if (!thresholds.includes(state.threshold)) state.threshold = 'own';
  const only = (change) => (value) => { change(value); show(); };
  const axes = Object.entries(AXES).filter(([key]) => key === 'density' || folder.runs.some((run) => run.task === state.task && run[key]));
  if (!axes.some(([key]) => key === state.x)) state.x = 'density';
  const seeds = unique(folder.runs.filter((run) => run.task === state.task).map((run) => run.seed)).sort((a, b) => a - b);
  byId('choices').replaceChildren(
    choice('Horizontal axis', axes.map(([key, axis]) => [key, axis.title]), state.x, only((value) => { state.x = value; })),
    choice('Range', Object.entries(RANGES).map(([key, text]) => [key, text(folder.metrics[state.task].unit)]), state.range, only((value) => { state.range = value; })),
    ...(thresholds.length ? [choice('Zero threshold of penalties', [['own', 'as trained'], ...thresholds.map((each) => [each, each])], state.threshold, only((value) => { state.threshold = value; }))] : []),
    element('fieldset', { class: 'seeds' }, element('legend', {}, 'Seeds'), ...seeds.map((seed) => box(String(seed), seed, state.seeds))));
  showMethods(folder);
  showTrials(folder);
  showFailures(folder);
  showChecklist(folder);
  showProvenance(folder);
  show();
}

function box(label, member, set, picture) {
  const input = element('input', { type: 'checkbox', checked: set.has(member), onchange: (event) => {
    if (event.target.checked) set.add(member); else set.delete(member);
    show();
  } });
  return element('label', {}, input, ...(picture ? [picture] : []), label);
}

function showMethods(folder) {
  const there = new Set(folder.runs.filter((run) => run.task === state.task && run.shown).map((run) => run.method));
  const methods = folder.methods.filter((each) => there.has(each.method) && each.method !== 'dense');
  const press = (label, change) => element('button', { type: 'button', onclick: () => { state.methods = change(); showMethods(folder); show(); } }, label);
  const parts = [element('legend', {}, 'Methods'), element('div', { class: 'row' },
    press('Best', () => leaders(folder)), press('All', () => new Set(methods.map((each) => each.method))), press('None', () => new Set()))];
  for (const family of unique(methods.map((each) => each.family))) {
    parts.push(element('p', {}, family || 'other'));
    for (const each of methods.filter((method) => method.family === family)) parts.push(box(each.name, each.method, state.methods, swatch(each)));
  }
  byId('methods').replaceChildren(...parts);
}

function swatch(method) {
  const svg = (tag, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  };
  const picture = svg('svg', { width: 16, height: 16, viewBox: '-8 -8 16 16', 'aria-hidden': 'true' });
  const kind = shape(method.marker);
  const path = kind.startsWith('M') ? { d: kind, transform: 'scale(6.5)' } : { d: SWATCHES[kind] };
  picture.append(svg('path', { ...path, fill: readable(method.colour) }));
  return picture;
}

const SWATCHES = {
  circle: 'M-5,0A5,5 0 1 0 5,0A5,5 0 1 0 -5,0Z', square: 'M-5,-5H5V5H-5Z', diamond: 'M0,-7L5,0L0,7L-5,0Z',
  'triangle-up': 'M0,-6L6,5H-6Z', 'triangle-down': 'M0,6L6,-5H-6Z', 'triangle-left': 'M-6,0L5,6V-6Z', 'triangle-right': 'M6,0L-5,6V-6Z',
  cross: 'M-6,-2H-2V-6H2V-2H6V2H2V6H-2V2H-6Z', stroke: 'M-6,-1H6V1H-6Z',
};

function showTrials(folder) {
  for (const part of document.querySelectorAll('#trials, a[href="#trials"]')) part.hidden = !folder.trials;
  if (!folder.trials) return;
  const columns = Object.keys(folder.trials[0] || {}).map((name) => ({ head: name.replaceAll('_', ' '), value: (row) => row[name],
    text: (row) => (typeof row[name] === 'boolean' ? (row[name] ? 'yes' : '') : shown(row[name])), top: (row) => row.chosen && name === 'learning_rate' }));
  byId('trial-table').replaceChildren(sortable(columns, folder.trials, 'Learning rates'));
}

function showFailures(folder) {
  const failed = folder.runs.filter((run) => !measured(run));
  const warned = folder.runs.filter((run) => measured(run) && (run.warning || run.stale));
  byId('failure-count').textContent = `${failed.length} of ${folder.runs.length} runs have no result; ${warned.length} others carry a warning or are stale.`
    + DATA.faults.map((fault) => ` Not on this page: ${fault}.`).join('');
  const why = (run) => [run.error, run.warning, run.stale ? 'another version of task or method computed this row' : ''].filter(Boolean).join('; ');
  byId('failure-table').replaceChildren(...(failed.length + warned.length ? [sortable([
    ...['task', 'method', 'value', 'seed', 'status'].map((name) => ({ head: name, value: (run) => run[name] })),
    { head: 'reason', value: why, long: true }], [...failed, ...warned], 'Failures and warnings')] : []));
}

function showProvenance(folder) {
  const counts = new Map();
  for (const run of folder.runs) {
    const key = JSON.stringify([run.version, run.commit, run.torch, run.hardware, run.cpu_capability, run.device]);
    counts.set(key, (counts.get(key) || 0) + 1);
  }
  const rows = [...counts].map(([key, count]) => [count, ...JSON.parse(key)]);
  const code = sortable(['runs', 'version', 'commit', 'torch', 'hardware', 'vector instructions', 'device'].map((head, i) => ({ head, value: (row) => row[i], long: head === 'hardware' })), rows, 'Code and hardware of the runs');
  const fields = ['start', 'end', 'command', 'commit', 'dirty', 'device', 'workers', 'rows', 'hardware', 'packages'];
  const commands = folder.invocations.length
    ? sortable(fields.map((name) => ({ head: name, value: (row) => row[name] || '', long: ['command', 'hardware', 'packages'].includes(name) })), folder.invocations, 'Commands')
    : element('p', { class: 'note' }, 'The folder keeps no files of the commands that computed it.');
  byId('provenance-table').replaceChildren(code, element('h3', {}, 'Commands'), commands);
}

// Let the arrow keys go from mean to mean in the figure, and Enter choose a run of it.
function followKeys(points, press) {
  let place = -1;
  byId('chart').onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step && points.length) {
      place = (place + step + points.length) % points.length;
      byId('hover').textContent = points[place].text;
      event.preventDefault();
    } else if (event.key === 'Enter' && points[place]) press(points[place].key);
  };
}

async function start() {
  DATA = await readData();
  folders = DATA.folders.map((data) => ({ data, get ready() { return (this.kept ??= prepare(this.data)); } }));
  fromAddress();
  showFolder();
  dark.addEventListener('change', showFolder);
  let width = window.innerWidth;
  window.addEventListener('resize', () => { if (window.innerWidth !== width) { width = window.innerWidth; show(); } });
  document.documentElement.dataset.ready = 'yes';
}

start().catch((error) => {
  byId('front-title').textContent = `The page cannot be shown; a browser of 2023 or later is needed (${error})`;
  throw error;
});
