// Tables that sort by a click or key on a column's head.

const FIRST = 100; // rows before the button that shows more

// Return a table. A column has a head, value(row), and perhaps text(row), top(row), long, press(row).
function sortable(columns, rows, caption, marked) {
  const body = element('tbody');
  const status = element('p', { class: 'note', role: 'status' });
  let order = null; // place of the column and direction
  let most = FIRST;
  const heads = columns.map((column, place) => element('th', { scope: 'col' }, element('button', {
    type: 'button',
    onclick: () => {
      const down = order && order.place === place ? !order.down : typeof (rows[0] && column.value(rows[0])) === 'number';
      order = { place, down };
      fill();
    },
  }, column.head)));
  const fill = () => {
    const sorted = [...rows];
    if (order) {
      const value = columns[order.place].value;
      sorted.sort((a, b) => compare(value(a), value(b), order.down));
    }
    heads.forEach((head, place) => {
      if (order && order.place === place) head.setAttribute('aria-sort', order.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    body.replaceChildren(...sorted.slice(0, most).map((row) => line(columns, row, marked)));
    status.replaceChildren(`${Math.min(most, rows.length)} of ${rows.length} rows`);
    if (rows.length > most) {
      status.append(' ', element('button', { type: 'button', onclick: () => { most *= 5; fill(); } }, 'Show more'));
    }
  };
  fill();
  const head = element('thead', {}, element('tr', {}, ...heads));
  const table = element('table', { 'aria-label': caption }, head, body);
  return element('div', {}, element('div', { class: 'scroll', tabindex: '0' }, table), status);
}

// Order two cells; an empty cell is last in both directions.
function compare(a, b, down) {
  const empty = (value) => value === null || value === undefined || value === '';
  if (empty(a) || empty(b)) return empty(a) - empty(b);
  const rising = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  return down ? -rising : rising;
}

function line(columns, row, marked) {
  const cells = columns.map((column) => {
    const text = column.text ? column.text(row) : shown(column.value(row));
    const classes = [
      typeof column.value(row) === 'number' && 'number', column.long && 'long', column.top && column.top(row) && 'top',
      column.bad && column.bad(row) && 'bad',
    ].filter(Boolean).join(' ');
    const inner = column.press ? element('button', { type: 'button', onclick: () => column.press(row) }, text) : text;
    return element('td', { class: classes || undefined }, inner);
  });
  return element('tr', { class: marked && marked(row) ? 'chosen' : undefined }, ...cells);
}

