// The loss around the weights, and the paths that update rules take in it.

const VIEW = 400; // the picture's side, in its own units
const BANDS = 24;
const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["", "7 3", "2 3", "9 3 2 3"];
const MARKS = { // drawn around (0, 0)
  circle: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0",
  square: "M-4.5 -4.5h9v9h-9z",
  diamond: "M0 -6.5L6.5 0L0 6.5L-6.5 0z",
  triangle: "M0 -6L5.5 4.5h-11z",
};

function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function landscapeOf({ a, b, loss, paths, exact }) {
  const x = (p) => (VIEW * (p - a[0])) / (a.at(-1) - a[0]);
  const y = (q) => VIEW - (VIEW * (q - b[0])) / (b.at(-1) - b[0]);
  const picture = drawing("svg", { viewBox: `0 0 ${VIEW} ${VIEW}`, role: "img",
    "aria-label": "The loss over the weights, darker where it is lower, and the paths in it" });
  picture.append(drawing("image", { href: heights(loss), width: VIEW, height: VIEW, preserveAspectRatio: "none" }));
  const walkers = paths.map((path, i) => {
    const colour = `var(--path-${(i % 4) + 1})`;
    const shape = Object.values(MARKS)[i % 4];
    const line = drawing("polyline", { class: "walk", "stroke-dasharray": DASHES[i % 4], style: `stroke: ${colour}` });
    const mark = drawing("path", { class: "mark", d: shape, style: `fill: ${colour}` });
    picture.append(line, mark);
    return { path, line, mark, colour, shape };
  });
  for (const { points: [[p, q]] } of paths.slice(0, 1)) {
    picture.append(drawing("circle", { class: "start", cx: x(p), cy: y(q), r: 9 }));
  }
  const longest = Math.max(0, ...paths.map((path) => path.losses.length - 1));
  const slider = make("input", { type: "range", min: 0, max: longest, value: longest, id: "walked" });
  const count = make("output", { for: "walked" });
  const losses = walkers.map(() => make("td", {}));
  const draw = () => {
    const step = Number(slider.value);
    count.textContent = `${step} of ${longest} steps`;
    walkers.forEach(({ path, line, mark }, i) => {
      const at = Math.min(step, path.losses.length - 1);
      const points = path.points.slice(0, at + 1).map(([p, q]) => [x(p), y(q)]);
      line.setAttribute("points", points.map((point) => point.join(",")).join(" "));
      mark.setAttribute("transform", `translate(${points[at].join(" ")})`);
      losses[i].textContent = plain(path.losses[at]) + (at < step ? ` (ended after ${at} steps)` : "");
    });
  };
  slider.addEventListener("input", draw);
  draw();
  const rows = walkers.map(({ path, colour, shape }, i) => make("tr", {},
    make("th", { scope: "row" }, drawing("svg", { viewBox: "-8 -8 16 16", class: "key", "aria-hidden": "true" },
      drawing("path", { class: "mark", d: shape, style: `fill: ${colour}` })), ` ${path.name}`), losses[i]));
  const [across, up] = exact ? ["first weight", "second weight"] : ["first direction", "second direction"];
  const ends = (numbers) => `${plain(Number(numbers[0].toPrecision(3)))} to ${plain(Number(numbers.at(-1).toPrecision(3)))}`;
  return section("The loss around the weights",
    make("div", { class: "landscape" },
      make("figure", {}, picture,
        make("figcaption", {}, `Across: the ${across}, from ${ends(a)}; upwards: the ${up}, from ${ends(b)}. Darker is lower; the paths begin in the ring.`)),
      make("div", {}, make("label", { for: "walked" }, "How far to walk "), slider, " ", count,
        make("table", {}, make("tr", {}, make("th", { scope: "col" }, "path"), make("th", { scope: "col" }, "loss there")), ...rows))));
}

// A picture with as many points in each tone as in the next, so that valleys and cliffs both show.
function heights(loss) {
  const known = loss.flat().filter((height) => height !== null).sort((p, q) => p - q);
  const canvas = make("canvas", { width: loss[0].length, height: loss.length });
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  loss.forEach((row, i) => row.forEach((height, j) => {
    const tone = height === null ? 255 : 95 + (160 / BANDS) * Math.floor((BANDS * rankOf(height, known)) / known.length);
    image.data.set([tone, tone, tone, 255], 4 * ((loss.length - 1 - i) * canvas.width + j));
  }));
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function rankOf(height, sorted) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < height) low = middle + 1;
    else high = middle;
  }
  return low;
}
