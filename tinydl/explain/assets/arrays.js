// The story's arrays, and where their elements lie. Elements are named by their place in the whole
// array in reading order ("flat"); of a large array only the first block is kept.

const story = JSON.parse(document.getElementById("story").textContent);
const decoded = new Map();

function elementsOf(value) {
  if (!decoded.has(value.array)) {
    const { type, data } = story.arrays[value.array];
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const Kind = type === "<f8" ? Float64Array : Float32Array;
    decoded.set(value.array, new Kind(bytes.buffer));
  }
  return decoded.get(value.array);
}

const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);

function unravel(flat, shape) {
  const index = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = flat % shape[axis];
    flat = Math.floor(flat / shape[axis]);
  }
  return index;
}

const ravel = (index, shape) => index.reduce((flat, i, axis) => flat * shape[axis] + i, 0);

const isInside = (index, shape) => index.every((i, axis) => i >= 0 && i < shape[axis]);

// The element at an index, or undefined where it was not kept.
function elementAt(value, index) {
  if (!isInside(index, value.kept)) return undefined;
  const elements = elementsOf(value);
  return elements.length === 1 ? elements[0] : elements[ravel(index, value.kept)];
}

const element = (value, flat) => elementAt(value, unravel(flat, value.shape));

const largestOf = (value) =>
  elementsOf(value).reduce((most, x) => (Math.abs(x) > most ? Math.abs(x) : most), 0);

// How an element of an output came about: written down, or by the step's law; null if neither.
function viewOf(step, output, flat) {
  const written = step.views[output][flat];
  if (written) return written;
  return step.law && output === 0 ? byLaw(step, flat) : null;
}

function byLaw(step, flat) {
  const { law } = step;
  const output = story.values[step.outputs[0]];
  const index = unravel(flat, output.shape);
  const value = elementAt(output, index);
  if (value === undefined) return null;
  const terms = [];
  for (const term of law.terms) {
    const refs = term.places.map((place) => [place[0], placeAt(place, index, flat)]);
    if (refs.some(([, at]) => at === null)) continue;
    const factors = refs.map(([which, at]) => element(story.values[which], at));
    const numbers = term.numbers.map((number) => fillingOf(number, refs, factors));
    const product = factors.reduce((a, b) => a * b, 1);
    terms.push([term.formula, numbers, term.value === "product" ? product : value, refs]);
  }
  const symbol = [law.symbol, index.map(String)];
  const part = { symbol, combine: law.combine, terms, elided: 0, rest: null, last: [], value };
  return { value, parts: [part] };
}

function placeAt([which, start, slopes], index, flat) {
  if (!slopes.length && start.length) return flat;
  const { shape } = story.values[which];
  const place = start.map((first, axis) =>
    slopes[axis].reduce((sum, slope, i) => sum + slope * index[i], first));
  return isInside(place, shape) ? ravel(place, shape) : null;
}

function fillingOf([kind, which, more], refs, factors) {
  if (kind === "constant") return which;
  if (kind === "index") return String(unravel(refs[which][1], story.values[refs[which][0]].shape)[more]);
  const text = numberText(factors[which]);
  return more && text.startsWith("-") ? `(${text})` : text;
}

const termsOf = (part) => [...part.terms, ...part.last];

// All parts of a view, those of a gradient's paths included.
const partsOf = (view) =>
  [...(view.parts ?? []), ...(view.paths ?? []).flatMap((path) => [...path.filled, path.part])];

// The elements that feed the one a view is of: number of a value to a set of places.
function feedersOf(view) {
  const feeders = new Map();
  const add = ([which, flat]) => {
    if (!feeders.has(which)) feeders.set(which, new Set());
    feeders.get(which).add(flat);
  };
  for (const part of partsOf(view)) for (const term of termsOf(part)) term[3].forEach(add);
  for (const [ref] of view.derivatives ?? []) add(ref);
  return feeders;
}

// The elements of an output that an input's element feeds in a step.
function fedBy(step, output, which, flat) {
  const fed = new Set();
  if (step.law) {
    const { shape, kept } = story.values[step.outputs[0]];
    const places = step.law.terms.flatMap((term) => term.places).filter((p) => p[0] === which);
    for (let i = 0; i < sizeOf(kept); i++) {
      const index = unravel(i, shape);
      if (places.some((place) => placeAt(place, index, i) === flat)) fed.add(i);
    }
  }
  for (const [key, view] of Object.entries(step.views[output])) {
    if (feedersOf(view).get(which)?.has(flat)) fed.add(Number(key));
  }
  return fed;
}
