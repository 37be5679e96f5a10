// A tensor as a figure: small multiples of its slices, and one slice cell by cell.

const NUMBERS = 12; // a slice of up to so many rows and columns shows its numbers,
const CELLS = 28; //   a window of at most so many its colours
const MULTIPLES = 64;
const LONGEST = 128; // rows and columns of a small multiple

const darkMode = matchMedia("(prefers-color-scheme: dark)");

// The two axes that make a slice, and the others, of which each combination is a slice.
function axesOf(value) {
  const n = value.shape.length;
  const row = value.axes.indexOf("row");
  const column = value.axes.indexOf("column");
  const grid = row >= 0 && column >= 0 ? [row, column] : n > 1 ? [n - 2, n - 1] : n ? [-1, 0] : [-1, -1];
  return { grid, others: value.shape.map((_, axis) => axis).filter((axis) => !grid.includes(axis)) };
}

const isPicture = (value) =>
  value.role === "input" && value.axes.includes("row") && value.axes.includes("column") &&
  elementsOf(value).every((x) => x >= 0);

// Blue below zero, orange above, the page's own colour at zero; pictures in grey.
function colourOf(x, scale, picture) {
  if (x === undefined) return darkMode.matches ? [42, 46, 52] : [225, 222, 216];
  if (Number.isNaN(x)) return [190, 60, 160];
  const t = scale ? Math.max(-1, Math.min(1, x / scale)) : 0;
  if (picture) return [0, 1, 2].map(() => Math.round(255 * t));
  const zero = darkMode.matches ? [27, 31, 36] : [255, 255, 255];
  const [below, above] = darkMode.matches ? [[96, 165, 250], [251, 146, 60]] : [[29, 95, 168], [194, 83, 20]];
  const end = t < 0 ? below : above;
  return zero.map((z, i) => Math.round(z + (end[i] - z) * Math.abs(t)));
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const inkOn = (rgb) => (luminance(rgb) > 0.179 ? "#000000" : "#ffffff");
const css = (rgb) => `rgb(${rgb.join(",")})`;

// Options: picked, lit, fed (sets of places), and onpick(flat); slices remembers the slice shown.
function figureOf(which, { picked = new Set(), lit = new Set(), fed = new Set(), onpick, slices, caption = "", letter }) {
  const value = story.values[which];
  const focus = slices.get(which) ?? [...picked, ...lit, ...fed][0] ?? 0;
  const marks = { picked, lit, fed };
  const figure = make("figure", { class: "tensor", "data-value": value.name });
  figure.append(captionOf(value, caption, letter));
  if (!sizeOf(value.shape)) {
    figure.append(make("p", {}, "No elements."));
    return figure;
  }
  const scale = { size: largestOf(value), picture: isPicture(value) };
  const multiples = multiplesOf(which, value, focus, marks, scale, slices, onpick);
  const grid = gridOf(value, focus, marks, scale, onpick);
  figure.append(...[multiples, grid].filter(Boolean));
  return figure;
}

const counted = (n, word) => (n === 1 ? `1 ${word}` : `${n} ${word.replace(/^\w+/, "$&s")}`).trim();

function captionOf(value, caption, letter) {
  const shape = value.shape.map((n, axis) => counted(n, value.axes[axis] ?? "")).join(" × ") || "one number";
  const part = value.kept.every((n, axis) => n === value.shape[axis]) ? "" : `; the first ${value.kept.join(" × ")} are kept`;
  return make("figcaption", {},
    make("span", { class: "role" }, caption), " ", formula(letter), " ",
    make("b", {}, value.name), make("small", {}, `${shape}, ${value.dtype}${part}`));
}

const placeText = (value, flat) =>
  value.shape.length ? `[${unravel(flat, value.shape).join(", ")}]` : "";

// A canvas for each slice.
function multiplesOf(which, value, focus, marks, scale, slices, onpick) {
  const { grid, others } = axesOf(value);
  const count = sizeOf(others.map((axis) => value.kept[axis]));
  if (count < 2) return null;
  const box = make("div", { class: "multiples", role: "group", "aria-label": `Slices of ${value.name}` });
  const at = unravel(focus, value.shape);
  const shape = others.map((axis) => value.kept[axis]);
  const chosen = ravel(others.map((axis) => at[axis]), shape);
  const first = Math.max(0, Math.min(chosen - MULTIPLES / 2, count - MULTIPLES));
  const marked = new Set([...marks.picked, ...marks.lit, ...marks.fed].map((flat) => {
    const index = unravel(flat, value.shape);
    return ravel(others.map((axis) => index[axis]), shape);
  }));
  for (let i = first; i < Math.min(count, first + MULTIPLES); i++) {
    const index = [...at];
    unravel(i, shape).forEach((place, k) => { index[others[k]] = place; });
    const label = others.map((axis) => `${value.axes[axis] ?? "axis"} ${index[axis]}`).join(", ");
    const button = make("button", {
      class: `slice${marked.has(i) ? " marked" : ""}`, "aria-label": label, title: label,
      "aria-pressed": String(i === chosen), tabindex: i === chosen ? 0 : -1,
      onclick: () => {
        slices.set(which, ravel(index, value.shape));
        onpick?.(ravel(index, value.shape), true);
      },
    }, drawn(value, index, grid, scale));
    box.append(button);
  }
  box.addEventListener("keydown", (event) => rove(event, [...box.children], 1));
  if (count > MULTIPLES) box.append(make("small", {}, `${first} to ${first + MULTIPLES - 1} of ${count}`));
  if (grid.some((axis) => value.kept[axis] > LONGEST)) {
    box.append(make("small", {}, `of each, the first ${LONGEST} rows and columns`));
  }
  return box;
}

function drawn(value, index, grid, scale) {
  const [rows, columns] = grid.map((axis) => (axis < 0 ? 1 : Math.min(value.kept[axis], LONGEST)));
  const canvas = make("canvas", { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const at = [...index];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      if (grid[0] >= 0) at[grid[0]] = r;
      if (grid[1] >= 0) at[grid[1]] = c;
      const colour = colourOf(elementAt(value, at), scale.size, scale.picture);
      image.data.set([...colour, 255], 4 * (r * columns + c));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// A window of one slice: a grid of cells, one of which the Tab key reaches.
function gridOf(value, focus, marks, scale, onpick) {
  const { grid } = axesOf(value);
  const index = unravel(focus, value.shape);
  const [rows, columns] = grid.map((axis) => (axis < 0 ? 1 : value.kept[axis]));
  const withNumbers = columns <= NUMBERS;
  const most = withNumbers ? NUMBERS : CELLS;
  const [top, height] = windowOf(grid[0] < 0 ? 0 : index[grid[0]], rows, most);
  const [left, width] = windowOf(grid[1] < 0 ? 0 : index[grid[1]], columns, most);
  const table = make("div", {
    class: `grid${withNumbers ? " numbers" : ""}`, role: "grid", "aria-label": value.name,
    style: `--columns: ${width}`, "aria-rowcount": rows, "aria-colcount": columns,
  });
  const cells = [];
  for (let r = top; r < top + height; r++) {
    const row = make("div", { role: "row" });
    for (let c = left; c < left + width; c++) {
      if (grid[0] >= 0) index[grid[0]] = r;
      if (grid[1] >= 0) index[grid[1]] = c;
      cells.push(cellOf(value, ravel(index, value.shape), marks, scale, withNumbers, width > 6 ? 3 : DIGITS, onpick));
      row.append(cells.at(-1));
    }
    table.append(row);
  }
  const tabbed = cells.find((cell) => cell.matches(".picked")) ?? cells.find((cell) => cell.matches(".lit, .fed")) ?? cells[0];
  if (tabbed) tabbed.tabIndex = 0;
  table.addEventListener("keydown", (event) => rove(event, cells, width));
  const whole = height === rows && width === columns;
  const parts = [[grid[0], top, height, rows], [grid[1], left, width, columns]]
    .filter(([axis, , shown, all]) => axis >= 0 && shown < all)
    .map(([axis, from, shown, all]) => `${value.axes[axis] ?? "axis"} ${from} to ${from + shown - 1} of ${all}`);
  return make("div", { class: "window" }, table, whole ? null : make("small", {}, parts.join(", ")));
}

const shortened = (x, digits) => (x === undefined ? "?" : plain(Number(Number(x).toPrecision(digits))));

function windowOf(at, all, most) {
  const shown = Math.min(all, most);
  return [Math.max(0, Math.min(at - Math.floor(shown / 2), all - shown)), shown];
}

function cellOf(value, flat, marks, scale, withNumbers, digits, onpick) {
  const x = element(value, flat);
  const colour = colourOf(x, scale.size, scale.picture);
  const kinds = Object.keys(marks).filter((kind) => marks[kind].has(flat));
  const text = x === undefined ? "?" : plain(x);
  const words = { picked: "picked", lit: "feeds the picked one", fed: "fed by the picked one" };
  const label = `${placeText(value, flat) || value.name}: ${[text, ...kinds.map((kind) => words[kind])].join(", ")}`;
  return make("div", {
    role: "gridcell", class: ["cell", ...kinds].join(" "), tabindex: -1, "data-flat": flat, title: label,
    "aria-label": label, "aria-selected": String(marks.picked.has(flat)),
    style: `background: ${css(colour)}; color: ${inkOn(colour)}`,
    onclick: () => onpick?.(flat),
    onkeydown: (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        onpick?.(flat);
      }
    },
  }, withNumbers ? shortened(x, digits) : "");
}

// Arrow keys move within a group of which one element is in the order of the Tab key.
function rove(event, items, width) {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width }[event.key];
  const at = items.indexOf(event.target);
  if (by === undefined || at < 0) return;
  event.preventDefault();
  event.stopPropagation();
  const next = items[at + by];
  if (!next || !next.matches("button, .cell")) return;
  items[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
