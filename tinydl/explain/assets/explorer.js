// Turning the pages: the graph at the side, keys, links, play, print.

const DOTS = 40; // pixels from the left edge of the graph to its dots
const PAUSE = 3000; // milliseconds a page stays while playing
const byId = (id) => document.getElementById(id);
const states = new Map(); // what is picked on each page
let current = 1;
let playing = null;

function stateOf(step) {
  if (!states.has(step.number)) {
    const first = shownAt(step, 0, step.picks[0]);
    states.set(step.number, { output: 0, flat: first.at, message: "", probe: null, slices: new Map() });
  }
  return states.get(step.number);
}

function show(number, focus = false) {
  current = Math.max(1, Math.min(number, story.steps.length));
  const step = story.steps[current - 1];
  const repaint = (hash) => {
    if (hash) history.replaceState(null, "", hash);
    const active = document.activeElement;
    const held = active?.closest?.("figure")?.dataset.value;
    const again = active?.matches?.(".cell") ? ".cell.picked" : "[aria-pressed=true]";
    byId("page").replaceChildren(pageOf(step, stateOf(step), repaint));
    const figure = [...byId("page").querySelectorAll("figure")].find((f) => f.dataset.value === held);
    figure?.querySelector(again)?.focus({ preventScroll: true });
  };
  repaint();
  byId("place").textContent = `${current} / ${story.steps.length}`;
  byId("previous").disabled = current === 1;
  byId("next").disabled = current === story.steps.length;
  byId("announcement").textContent = `Step ${current}: ${KINDS[step.kind]}, ${step.title}`;
  for (const link of document.querySelectorAll("nav a[data-step]")) {
    const isCurrent = Number(link.dataset.step) === current;
    if (isCurrent) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
    if (isCurrent) {
      link.closest("details").open = true;
      reveal(link);
    }
  }
  drawEdges();
  if (focus) byId("page").focus({ preventScroll: true });
}

// Scrolls the list of steps, and nothing else.
function reveal(link) {
  const list = byId("graph");
  const [box, place] = [list.getBoundingClientRect(), link.getBoundingClientRect()];
  if (place.top < box.top || place.bottom > box.bottom) list.scrollTop += place.top - box.top - box.height / 2;
}

function turn(by) {
  const next = current + by;
  if (next >= 1 && next <= story.steps.length) location.hash = `#step-${next}`;
}

function read(hash) {
  const found = /^#step-(\d+)(?::([\d,]*))?$/.exec(decodeURIComponent(hash));
  if (!found) return show(current);
  const step = story.steps[Math.max(1, Math.min(Number(found[1]), story.steps.length)) - 1];
  if (found[2] !== undefined) {
    const { shape } = story.values[step.outputs[0]];
    const index = found[2] ? found[2].split(",").map(Number) : [];
    if (index.length === shape.length && isInside(index, shape)) {
      const { at, message } = shownAt(step, 0, ravel(index, shape));
      Object.assign(stateOf(step), { output: 0, flat: at, message, probe: null });
    }
  }
  return show(step.number, true);
}

// The graph: steps in order, grouped by kind and layer, with a line from each to those it leads to.
function buildGraph() {
  const graph = byId("graph");
  for (const kind of Object.keys(KINDS)) {
    const steps = story.steps.filter((step) => step.kind === kind);
    if (!steps.length) continue;
    const box = make("section", { class: kind }, make("h2", {}, KINDS[kind]));
    for (const group of runsOf(steps)) {
      const list = make("ol", {}, ...group.steps.map(entryOf));
      box.append(make("details", { open: true, ontoggle: drawEdges },
        make("summary", {}, group.layer ?? "outside layers"), list));
    }
    graph.append(box);
  }
  if (story.landscape) graph.append(make("section", {}, make("a", { href: "#landscape" }, "The landscape")));
  graph.append(drawing("svg", { "aria-hidden": "true", class: "edges" }));
}

function runsOf(steps) {
  const runs = [];
  for (const step of steps) {
    if (runs.at(-1)?.layer !== step.layer || !runs.length) runs.push({ layer: step.layer, steps: [] });
    runs.at(-1).steps.push(step);
  }
  return runs;
}

const entryOf = (step) =>
  make("li", {}, make("a", { href: `#step-${step.number}`, "data-step": step.number },
    make("span", { class: "dot" }), make("span", { class: "number" }, String(step.number)),
    step.kind === "update" ? step.title : step.op));

function drawEdges() {
  const graph = byId("graph");
  const svg = graph.querySelector(".edges");
  const origin = graph.getBoundingClientRect();
  const spots = new Map();
  for (const link of graph.querySelectorAll("a[data-step]")) {
    const shown = link.closest("details").open ? link.querySelector(".dot") : link.closest("details").querySelector("summary");
    const box = shown.getBoundingClientRect();
    spots.set(Number(link.dataset.step), [DOTS, box.top + box.height / 2 - origin.top + graph.scrollTop]);
  }
  svg.setAttribute("width", 44);
  svg.setAttribute("height", 0);
  svg.setAttribute("height", graph.scrollHeight);
  svg.replaceChildren();
  for (const step of story.steps) {
    for (const before of step.after) {
      const [x1, y1] = spots.get(before);
      const [x2, y2] = spots.get(step.number);
      const bend = Math.min(26, 4 + (step.number - before) * 3);
      const isStraight = step.number - before === 1;
      const path = drawing("path", {
        d: isStraight ? `M${x1} ${y1}L${x2} ${y2}` : `M${x1} ${y1}C${x1 - bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
      });
      if (step.number === current) path.setAttribute("class", "into");
      if (before === current) path.setAttribute("class", "out-of");
      svg.append(path);
    }
  }
}

function play(on) {
  clearInterval(playing);
  playing = on ? setInterval(() => (current < story.steps.length ? turn(1) : play(false)), PAUSE) : null;
  byId("play").setAttribute("aria-pressed", String(on));
  byId("play").textContent = on ? "Pause" : "Play";
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  const action = {
    ArrowRight: () => turn(1),
    ArrowLeft: () => turn(-1),
    Home: () => { location.hash = "#step-1"; },
    End: () => { location.hash = `#step-${story.steps.length}`; },
    p: () => play(playing === null),
  }[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

// On paper: all pages in order.
addEventListener("beforeprint", () => {
  byId("paper").replaceChildren(...story.steps.map((step) => pageOf(step, stateOf(step), () => {})));
});
addEventListener("afterprint", () => byId("paper").replaceChildren());
addEventListener("hashchange", () => read(location.hash));
addEventListener("resize", drawEdges);
darkMode.addEventListener("change", () => show(current));
byId("previous").addEventListener("click", () => turn(-1));
byId("next").addEventListener("click", () => turn(1));
byId("play").addEventListener("click", () => play(playing === null));

document.title = `${story.title} · tinydl`;
byId("title").textContent = story.title;
byId("note").textContent = story.note ?? "";
byId("missing").textContent = story.missing;
buildGraph();
if (story.landscape) byId("landscape").append(landscapeOf(story.landscape));
if (story.steps.length) read(location.hash);
