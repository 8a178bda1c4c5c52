// One run: its curves, its layers and every column of its row.

const LABELS = { train_loss: 'training loss', val_loss: 'validation loss', val_accuracy: 'validation accuracy in %', weight_norm: 'norm of the weights' };

function drawRun(folder, state) {
  const place = folder.runs.findIndex((run) => run.key === state.run);
  const run = folder.runs[place];
  if (!run) return;
  const { directed } = folder.metrics[run.task];
  const labels = { ...LABELS, val_metric: `validation ${directed}` };
  byId('run-title').textContent = `One run: ${run.method}, ${run.knob === 'none' ? '' : `${run.knob} ${shown(run.value)}, `}seed ${run.seed}`;
  const own = folder.curves.curves.filter((curve) => curve.run === place);
  const metrics = own.map((curve) => curve.metric);
  const metric = metrics.includes(state.metric) ? state.metric : metrics.find((one) => ['val_accuracy', 'val_metric'].includes(one)) || metrics[0];
  byId('run-choices').replaceChildren(...(metrics.length ? [choice('Curve', metrics.map((name) => [name, labels[name] || name]), metric, (value) => { state.metric = value; drawRun(folder, state); })] : []));
  if (metric === undefined) {
    byId('curves').replaceChildren(element('p', { class: 'note' }, 'The page holds no curve of this run.'));
  } else {
    const curve = own.find((each) => each.metric === metric);
    const values = folder.curves.epochs.slice(curve.start, curve.end).map((epoch, i) => ({ epoch, value: folder.curves.values[curve.start + i] }));
    draw('curves', { height: 260, description: `${labels[metric] || 'a metric'} over epochs`, data: { values },
      mark: { type: 'line', point: true, color: colour('--link') },
      encoding: { x: { field: 'epoch', type: 'quantitative', axis: { title: 'epoch' } },
        y: { field: 'value', type: 'quantitative', scale: { zero: false }, axis: { title: labels[metric] || 'value' } } } }, values.length);
  }
  const layers = folder.layers.filter((layer) => layer.run === place).map((layer) => ({ layer: layer.layer, left: 100 * layer.kept / layer.total }));
  if (!layers.length) {
    byId('layers').replaceChildren(element('p', { class: 'note' }, 'The page holds no layers of this run.'));
  } else {
    draw('layers', { height: 40 + 22 * layers.length, description: 'weights left by layer in percent', data: { values: layers }, mark: { type: 'bar', color: colour('--link') },
      encoding: { y: { field: 'layer', type: 'nominal', sort: null, axis: { title: null, labelLimit: 140 } },
        x: { field: 'left', type: 'quantitative', axis: { title: 'weights left of the layer in %' } } } }, layers.length);
  }
  byId('run-columns').replaceChildren(sortable(
    [{ head: 'column', value: ([name]) => name }, { head: 'value', value: ([, value]) => (value === null ? '' : String(value)), long: true }],
    Object.keys(DATA.folders[state.folder].runs.columns).map((column) => [column, run[column]]), 'Columns of the run'));
}

