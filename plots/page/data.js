// The data of the page, unpacked as plots/page/columns.py packs them, and small helpers.

let DATA; // main.js sets it

// Read the data, which gzip makes a third as long.
async function readData() {
  const bytes = Uint8Array.from(atob(byId('data').textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json();
}

// Return for each column of a packed table a function that returns the cell of a row.
function readersOf(table) {
  const reader = (column) => {
    if (Array.isArray(column)) return (i) => column[i];
    const codes = column.as ? table.columns[column.as].codes : column.codes;
    return codes ? (i) => column.levels[codes[i]] : () => column.levels[0];
  };
  return Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, reader(column)]));
}

// Return rows that read a cell when it is asked for; objects with all cells of 100,000 runs take seconds and a gigabyte.
function rowsOf(readers, count) {
  class Row { constructor(place) { this.place = place; } }
  for (const [name, read] of Object.entries(readers)) Object.defineProperty(Row.prototype, name, { get() { return read(this.place); } });
  return Array.from({ length: count }, (_, i) => new Row(i));
}

// Return a packed table as an array of objects that hold their cells.
function unpack(table) {
  const readers = Object.entries(readersOf(table));
  return Array.from({ length: table.rows }, (_, i) => Object.fromEntries(readers.map(([name, read]) => [name, read(i)])));
}

// Make an element. Children are text or elements; text never becomes markup.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

function byId(id) { return document.getElementById(id); }

// Add the scores of runs, of which more is better: accuracy, or another metric with a minus sign where less of it is better.
function withScores(readers, metrics) {
  const score = (split) => (i) => {
    const { accuracy, sign } = metrics[readers.task(i)];
    const value = readers[`${split}_${accuracy ? 'accuracy' : 'metric'}`](i);
    return value === null || value === undefined ? null : sign * value;
  };
  return { ...readers, val_score: score('val'), score: score('test') };
}

// Write a score as a value of its metric.
function written(score, metric, digits = metric.accuracy ? 2 : 3) { return (metric.sign * score).toFixed(digits) + (metric.accuracy ? ' %' : ''); }

// Say what a difference of scores to something of this name is, as plots/metrics.py does.
function betterThan(name, metric) { return metric.accuracy ? `points of test accuracy above ${name}` : `% better than ${name} in ${metric.directed}`; }

// Break a text into lines of at most so many characters, as the title of a narrow axis needs.
function lines(text, most = 34) {
  const found = [''];
  for (const word of text.split(' ')) {
    const last = found[found.length - 1];
    if (last && last.length + 1 + word.length > most) found.push(word);
    else found[found.length - 1] = last ? `${last} ${word}` : word;
  }
  return found;
}

function unique(values) { return [...new Set(values)]; }

function mean(values) { return values.reduce((sum, value) => sum + value, 0) / values.length; }

function deviation(values) {
  const middle = mean(values);
  return values.length > 1 ? Math.sqrt(values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (values.length - 1)) : 0;
}

// Write a number as a reader wants it; a CSV takes the number itself.
function shown(value) {
  if (typeof value !== 'number') return value === null || value === undefined ? '' : String(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}

// Save rows as a CSV with the columns of runs.csv.
function download(name, rows, columns) {
  const cell = (value) => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const text = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  const file = new Blob([text.map((line) => line.map(cell).join(',') + '\n').join('')], { type: 'text/csv' });
  const link = element('a', { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

