// The front: the runs of the choices, their means over seeds, and the figure.

const AXES = {
  density: { title: 'compression (prunable weights / weights left)', inverse: true },
  effective_density: { title: 'effective compression (only weights on a path from input to output)', inverse: true },
  total_compression: { title: 'compression of all parameters (biases and norms included)' },
  theoretical_speedup: { title: 'theoretical speed-up (multiply-adds, dense / sparse)' },
  file_compression: { title: 'compression of the file (bytes, dense / sparse)' },
  measured_speedup: { title: 'measured speed-up (fastest form, batch 1, one thread)' },
};
const RANGES = { '5': (unit) => `5 ${unit} below the best`, '15': (unit) => `15 ${unit} below the best`, '100': () => 'everything' };

// Return the runs at a zero threshold; `lacking` counts the penalty runs that were not counted at it.
function counted(folder, threshold) {
  if (threshold === 'own') return { runs: folder.runs, lacking: 0 };
  const rows = new Map(folder.thresholds.filter((row) => String(row.threshold) === threshold).map((row) => [row.run, row]));
  const own = folder.readers;
  const penalty = (run) => run.penalty !== null && run.knob !== 'density' && run.status === 'ok';
  const there = (name, value) => [name, (i) => (rows.has(i) ? value(rows.get(i), i) : own[name](i))];
  const metric = (i) => folder.metrics[own.task(i)];
  const readers = Object.fromEntries([
    ...['effective_nonzeros', 'effective_density', 'effective_compression', 'total_compression', 'theoretical_speedup', 'macs_sparse',
      'file_bytes', 'file_compression', 'measured_speedup'].map((name) => there(name, () => null)),
    ...['nonzeros', 'density', 'val_score', 'score', 'threshold'].map((name) => there(name, (row) => row[name])),
    there('compression', (row) => (row.density ? 1 / row.density : null)),
    ...[['val', 'val_score'], ['test', 'score']].flatMap(([split, score]) => [
      there(`${split}_accuracy`, (row, i) => (metric(i).accuracy ? row[score] : own[`${split}_accuracy`](i))),
      there(`${split}_metric`, (row, i) => (metric(i).accuracy ? own[`${split}_metric`](i) : metric(i).sign * row[score])),
    ]),
  ]);
  const kept = rowsOf({ ...own, ...readers }, folder.runs.length).filter((run) => !penalty(run) || rows.has(run.place));
  return { runs: kept, lacking: folder.runs.length - kept.length };
}

function measured(run) {
  return run.status === 'ok' && run.density !== null && run.val_score !== null && run.score !== null;
}

// Say whether a run diverged or kept no weight: it counts at chance, and has no place on the x axis.
function missed(run) { return run.status === 'diverged' || (measured(run) && !(run.density > 0)); }

// Return a run's place on the x axis, or null.
function across(run, axis) {
  const value = run[axis];
  if (value === null || value === undefined || value <= 0) return null;
  return AXES[axis].inverse ? 1 / value : value;
}

// Return the means over seeds: x is 1 / mean (1 / x), as one compression is 1 / mean density.
function means(runs, axis, chance) {
  const groups = new Map();
  for (const run of runs) {
    const key = JSON.stringify([run.method, run.value, run.learning_rate]);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(run);
  }
  return [...groups.values()].map((all) => {
    const own = all.filter((run) => measured(run) || missed(run));
    const kept = own.filter((run) => !missed(run));
    if (!kept.length) return { x: null };
    const places = kept.map((run) => (AXES[axis].inverse ? run[axis] : run[axis] ? 1 / run[axis] : null));
    const there = places.every((value) => value !== null && value !== undefined) ? mean(places) : 0;
    const tests = own.map((run) => (missed(run) ? chance : run.score));
    const y = mean(tests);
    const spread = deviation(tests);
    return { method: own[0].method, knob: own[0].knob, value: own[0].value, n: own.length, asked: all.length, x: there > 0 ? 1 / there : null,
      y, spread, low: y - spread, high: y + spread, validation: mean(own.map((run) => (missed(run) ? chance : run.val_score))), key: kept[0].key };
  }).filter((point) => point.x !== null);
}

// Mark the points that no other of the method beats in x and mean validation accuracy.
function withFront(points) {
  return points.map((point) => ({
    ...point,
    front: !points.some((other) => other.method === point.method && other.x >= point.x
      && other.validation >= point.validation && (other.x > point.x || other.validation > point.validation)),
  }));
}

function seedsOf(point) { return point.n < point.asked ? `${point.n} of ${point.asked} seeds` : point.n === 1 ? '1 seed' : `${point.n} seeds`; }

function describe(point, names, metric) {
  return `${names[point.method] || point.method}, ${point.knob === 'none' ? '' : `${point.knob} ${shown(point.value)}, `}`
    + `at ${point.x.toPrecision(4)}: test ${metric.name} ${written(point.y, metric)}`
    + (point.n > 1 ? ` ± ${point.spread.toFixed(metric.accuracy ? 2 : 3)} (${seedsOf(point)})` : point.seed === undefined ? ` (${seedsOf(point)})` : ` (seed ${point.seed})`);
}

// Draw the figure; `press` takes the key of a run whose mark is pressed. Return the points and the sentences below.
function drawFront(state, runs, methods, metric, press) {
  const names = Object.fromEntries(methods.map((each) => [each.method, each.name]));
  const there = runs.filter(measured);
  const dense = there.filter((run) => run.method === 'dense');
  const asked = runs.filter((run) => run.method !== 'dense' && state.methods.has(run.method));
  const others = asked.filter(measured);
  const points = withFront(means(asked, state.x, metric.chance));
  const dots = others.map((run) => ({ method: run.method, knob: run.knob, value: run.value, seed: run.seed, n: 1,
    x: across(run, state.x), y: run.score, key: run.key })).filter((dot) => dot.x !== null);
  const drawn = thinned(dots, DOTS);
  const level = dense.length ? mean(dense.map((run) => run.score)) : null;
  const best = Math.max(...points.map((point) => point.y), level === null ? -Infinity : level);
  const unit = metric.accuracy ? 1 : Math.abs(best) / 100; // what the range counts, as a difference of scores
  const lowest = points.length ? Math.min(...points.map((point) => point.low)) - unit : best - 15 * unit;
  const all = metric.accuracy ? [Math.max(0, lowest), Math.min(100, best + 1)] : [lowest, best + unit];
  const domain = state.range === '100' ? all : [best - Number(state.range) * unit, best + Number(state.range) * unit / 15];
  const kept = methods.filter((each) => state.methods.has(each.method));
  const scale = { domain: kept.map((each) => each.method), range: kept.map((each) => readable(each.colour)) };
  const within = (score) => Math.min(Math.max(score, domain[0]), domain[1]); // marks beyond an edge lie at it, lines are cut there
  const said = [...points, ...drawn].map((point) => ({ ...point, mark: within(point.y), text: describe(point, names, metric) }));
  const x = { field: 'x', type: 'quantitative', scale: { type: 'log', nice: false, padding: 12 }, axis: { title: AXES[state.x].title, format: '~r', labelOverlap: true, tickCount: 8 } };
  const y = (field) => ({ field, type: 'quantitative', scale: { domain, zero: false, nice: false }, axis: { title: metric.label, ...(metric.sign < 0 ? { labelExpr: "format(-datum.value, '~g')" } : {}) } });
  const paint = { field: 'method', type: 'nominal', scale, legend: null };
  const chosen = (list) => list.filter((point) => point.key === state.run);
  const values = (rows) => ({ data: { values: rows } });
  const layers = [
    { ...values(said.filter((point) => point.seed !== undefined)), mark: { type: 'circle', size: 16, opacity: 0.45, aria: false },
      encoding: { x, y: y('mark'), color: paint } },
    { ...values(points.filter((point) => point.front)), mark: { type: 'line', clip: true, strokeWidth: 2, aria: false },
      encoding: { x, y: y('y'), color: paint, strokeDash: dashes(kept) } },
    { ...values(points.map((point) => ({ ...point, low: within(point.low), high: within(point.high) }))), mark: { type: 'rule', aria: false, strokeWidth: 1.2 }, encoding: { x, y: y('low'), y2: { field: 'high' }, color: paint } },
    { ...values(said.filter((point) => point.seed === undefined)), mark: { type: 'point', filled: true, size: 70 },
      encoding: { x, y: y('mark'), color: paint, shape: shapes(kept),
        opacity: { condition: { test: 'datum.front', value: 1 }, value: 0.35 }, description: { field: 'text' } } },
    { ...values(chosen(dots).map((dot) => ({ ...dot, mark: within(dot.y) }))), mark: { type: 'circle', filled: false, size: 220, strokeWidth: 3, color: colour('--fore'), aria: false }, encoding: { x, y: y('mark') } },
  ];
  if (level !== null) {
    layers.unshift({ ...values([{ y: within(level) }]), mark: { type: 'rule', strokeDash: [5, 4], color: colour('--soft'), aria: false }, encoding: { y: y('y') } });
  }
  const description = `Test ${metric.name} over ${AXES[state.x].title}; the table below has the same runs.`;
  const tell = (event, item) => { byId('hover').textContent = item && item.datum && item.datum.text ? item.datum.text : ''; };
  if (!dots.length) byId('chart').replaceChildren(element('p', { class: 'note' }, 'No run of the chosen methods has a place in this figure.'));
  else draw('chart', { height: 430, description, layer: layers }, drawn.length + points.length).then((view) => {
    view.addEventListener('mousemove', tell);
    view.addEventListener('click', (event, item) => { tell(event, item); if (item && item.datum && item.datum.key) press(item.datum.key); });
  });
  const unplaced = there.filter((run) => run.method === 'dense' || state.methods.has(run.method)).filter((run) => across(run, state.x) === null).length;
  const notes = [
    'Large marks: means over seeds with one standard deviation; lines join the values that no other of the method beats in x and mean validation ' + metric.name + ', the others are pale. Small dots: runs. Means below the range lie at its edge, where lines end.',
    asked.some(missed) ? `A run that diverged or kept no weight counts in the means as ${written(metric.chance, metric)}.` : '',
    level === null ? 'No dense run was measured.' : `Dashed: dense, ${written(level, metric)} (n = ${dense.length}).`,
    drawn.length < dots.length ? `Dots are thinned: ${drawn.length} of ${dots.length} runs are drawn; means are over all.` : '',
    unplaced ? `${unplaced} runs are not drawn: they have no weight left or no such count.` : '',
  ];
  return { points: said.filter((point) => point.seed === undefined).sort((a, b) => a.method.localeCompare(b.method) || a.x - b.x), notes };
}

