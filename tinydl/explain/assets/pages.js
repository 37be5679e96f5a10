// The page of a step: formula, shapes, numbers, gradient or update, source.

const KINDS = { forward: "Forward", backward: "Backward", update: "Update" };
const madeIn = new Map(); // number of a value to the step whose output it is
const usedIn = new Map(); // and to the steps that read it
for (const step of story.steps) {
  for (const which of step.outputs) if (!madeIn.has(which)) madeIn.set(which, step.number);
  for (const which of step.inputs) usedIn.set(which, [...(usedIn.get(which) ?? []), step.number]);
}

const stepLink = (number, words) =>
  make("a", { href: `#step-${number}` }, words ?? `step ${number}`);

// State: output (position), flat (the picked element of it), probe ([value, flat] or null), slices.
function pageOf(step, state, repaint) {
  const page = make("article", { class: step.kind, "data-step": step.number });
  page.append(headingOf(step), formulaSection(step), numbersSection(step, state, repaint));
  if (step.source) page.append(sourceSection(step));
  return page;
}

function headingOf(step) {
  const links = [];
  if (step.of) links.push(make("span", {}, "goes back through ", stepLink(step.of)));
  if (step.after.length) {
    links.push(make("span", {}, "follows ", ...between(step.after.map((n) => stepLink(n)), ", ")));
  }
  const feeds = story.steps.filter((other) => other.after.includes(step.number));
  if (feeds.length) {
    links.push(make("span", {}, "leads to ", ...between(feeds.map((s) => stepLink(s.number)), ", ")));
  }
  return make("header", {},
    make("p", { class: "kind" }, `${KINDS[step.kind]} · step ${step.number} of ${story.steps.length}`),
    make("h2", {}, step.title),
    make("p", { class: "links" }, ...between(links, " · ")));
}

const between = (items, sign) => items.flatMap((item, i) => (i ? [sign, item] : [item]));

function section(title, ...children) {
  return make("section", {}, make("h3", {}, title), ...children);
}

function formulaSection(step) {
  const shown = step.rules.length
    ? make("div", { class: "rules" }, ...step.rules.flatMap(([name, which]) => [
        make("p", { class: "rule-name" }, name), display(which)]))
    : display(step.formula);
  const shapes = display(step.shapes, "shapes");
  shapes.setAttribute("role", "group");
  shapes.setAttribute("aria-label", "With shapes");
  return section(step.kind === "backward" ? "The rule" : "The formula", shown, shapes);
}

function numbersSection(step, state, repaint) {
  if (state.flat === null) return section("With numbers", make("p", {}, "No elements."));
  const output = story.values[step.outputs[state.output]];
  const view = viewOf(step, state.output, state.flat);
  const feeders = view ? feedersOf(view) : new Map();
  const box = make("div", { class: "tensors" });
  const fed = state.probe ? fedBy(step, state.output, ...state.probe) : new Set();
  const inputs = step.inputs.map((which) => figureOf(which, {
    caption: step.kind === "backward" && which === step.inputs[0] ? "arrives" : "in",
    letter: step.letters[which],
    lit: feeders.get(which),
    picked: state.probe?.[0] === which ? new Set([state.probe[1]]) : undefined,
    slices: state.slices,
    onpick: (flat, sliceOnly) => (sliceOnly ? repaint() : probe(step, state, which, flat, repaint)),
  }));
  const outputs = step.outputs.map((which, position) => figureOf(which, {
    caption: step.kind === "backward" ? "goes down" : "out",
    letter: step.letters[which],
    picked: position === state.output ? new Set([state.flat]) : undefined,
    fed: position === state.output ? fed : undefined,
    slices: state.slices,
    onpick: (flat) => pick(step, state, position, flat, repaint),
  }));
  box.append(make("div", { class: "side" }, ...inputs), make("div", { class: "side" }, ...outputs));
  const light = (refs) => lightUp(box, refs);
  return section("With numbers",
    make("p", { class: "picked-name" }, make("b", {}, output.name), ` ${placeText(output, state.flat)} = `,
      valueOf(element(output, state.flat) ?? NaN)),
    state.message ? make("p", { class: "message" }, state.message) : null,
    state.probe ? probeText(step, state, fed) : null,
    sampleText(step, state.output, output),
    ...(view ? calculation(step, view, light) : [make("p", {}, "This file has no numbers for this element.")]),
    box);
}

function pick(step, state, position, flat, repaint) {
  const { at, message } = shownAt(step, position, flat);
  Object.assign(state, { output: position, flat: at, message, probe: null });
  state.slices.clear();
  repaint(`#step-${step.number}:${unravel(at, story.values[step.outputs[position]].shape).join(",")}`);
}

// The element itself, or the nearest one whose numbers are in the file.
function shownAt(step, position, flat) {
  if (flat === null || viewOf(step, position, flat)) return { at: flat, message: "" };
  const value = story.values[step.outputs[position]];
  const wanted = unravel(flat, value.shape);
  const far = (key) => unravel(Number(key), value.shape).reduce((sum, i, axis) => sum + Math.abs(i - wanted[axis]), 0);
  const keys = Object.keys(step.views[position]);
  if (!keys.length) return { at: flat, message: "" };
  const nearest = keys.reduce((best, key) => (far(key) < far(best) ? key : best));
  const message = `${value.name} ${placeText(value, flat)} has no numbers in this file; here is the nearest element that has.`;
  return { at: Number(nearest), message };
}

// Where the file has the numbers of some elements only, how many, and where the others are.
function sampleText(step, position, output) {
  const [known, all] = [Object.keys(step.views[position]).length, sizeOf(output.shape)];
  if (step.law || known >= all) return null;
  const words = `This file has the numbers of ${known} of ${all} elements; a click shows the nearest of these. `;
  return make("p", { class: "sample" }, words, "In Python, ",
    make("code", {}, `story.print(step=${step.number}, element=...)`), " shows any.");
}

// An input's element was picked: what it feeds lights up, and one of these is shown.
function probe(step, state, which, flat, repaint) {
  const fed = [...fedBy(step, state.output, which, flat)];
  state.probe = [which, flat];
  state.message = "";
  if (fed.length && !fed.includes(state.flat)) state.flat = fed[0];
  state.slices.clear();
  repaint();
}

function probeText(step, state, fed) {
  const [which, flat] = state.probe;
  const value = story.values[which];
  const maker = madeIn.get(which);
  const place = unravel(flat, value.shape).join(",");
  const words = [make("b", {}, value.name), ` ${placeText(value, flat)} = ${plain(element(value, flat) ?? NaN)}`];
  if (maker && maker !== step.number) {
    words.push(" comes from ", make("a", { href: `#step-${maker}:${place}` }, `step ${maker}`), ";");
  }
  words.push(` feeds ${fed.size || "no"} ${fed.size === 1 ? "element" : "elements"} of ${story.values[step.outputs[state.output]].name}.`);
  return make("p", { class: "probe" }, ...words);
}

function lightUp(box, refs) {
  for (const cell of box.querySelectorAll(".spot")) cell.classList.remove("spot");
  for (const [which, flat] of refs ?? []) {
    const figure = [...box.querySelectorAll("figure")].find((f) => f.dataset.value === story.values[which].name);
    figure?.querySelector(`[data-flat="${flat}"]`)?.classList.add("spot");
  }
}

function calculation(step, view, light) {
  if (step.kind === "backward") return gradientOf(step, view, light);
  if (step.kind === "update") return updateOf(view, light);
  const lines = view.parts.map((part) => lineOf(part, light));
  if (view.derivatives) lines.push(derivativesOf(view.derivatives));
  return lines;
}

function derivativesOf(derivatives) {
  const rows = derivatives.slice(0, 40).map(([[which, flat], slope]) => {
    const value = story.values[which];
    return make("tr", {}, make("td", {}, `${value.name} ${placeText(value, flat)}`), make("td", {}, plain(slope)));
  });
  const some = rows.length < derivatives.length ? `, the ${rows.length} largest of ${derivatives.length}` : "";
  return make("table", {}, make("caption", {}, `How it changes with what feeds it${some}`), ...rows);
}

function gradientOf(step, view, light) {
  const shown = view.paths.flatMap((path) => [
    make("p", { class: "path" }, view.paths.length > 1 ? "One path comes by " : "It comes by ", stepLink(path.step), ":"),
    step.rules.length === 1 && path.step === step.number ? null : display(path.rule, "small"),
    ...path.filled.map((part) => lineOf(part, light)),
    make("p", { class: "product" }, "What arrives there, times the local derivative:"),
    lineOf(path.part, light)]).filter(Boolean);
  if (view.paths.length > 1) {
    shown.push(make("p", { class: "line total" }, "All paths together: ",
      ...between(view.paths.map((path) => plain(path.part.value)), " + "), " = ", valueOf(view.total)));
  }
  shown.push(make("p", { class: "goes-down" }, "What the engine has: ", valueOf(view.value)));
  if (view.difference === "omitted") {
    shown.push(make("p", { class: "sample" }, "The finite difference is not in this file: so long a computation takes too long. In Python, ",
      make("code", {}, `story.print(step=${step.number})`), " computes it."));
  } else if (view.difference) shown.push(differenceOf(view.difference));
  return shown;
}

function differenceOf({ value, bound, left, right, outcome }) {
  const words = {
    agrees: "agrees",
    kink: `a kink: the slope is ${plain(left)} to the left and ${plain(right)} to the right, and the gradient is one of them or between`,
    disagrees: "does not agree",
    uncertain: "too rough here to tell",
  }[outcome];
  return make("p", { class: `difference ${outcome}` }, "Finite difference: ", valueOf(value),
    make("small", {}, ` ± ${plain(bound)} `), make("span", { class: "outcome" }, words));
}

function updateOf(view, light) {
  const settings = make("p", { class: "settings" }, ...view.settings.map(([symbol, value]) =>
    make("span", { class: "piece" }, formula(symbol), sign("="), plain(value))));
  const names = Object.keys(view.after);
  const row = (name, before, after) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, before), make("td", {}, after));
  const table = make("table", {},
    make("tr", {}, make("th", {}), make("th", { scope: "col" }, "before"), make("th", { scope: "col" }, "after")),
    ...names.map((name) => row(name, plain(view.before[name]), plain(view.after[name]))),
    row("weight", plain(view.old), plain(view.value)));
  return [make("p", {}, "The gradient: ", valueOf(view.gradient)), settings,
    ...view.parts.map((part) => lineOf(part, light)), table];
}

function sourceSection({ source: [file, line, text] }) {
  return section("The line that did it",
    make("pre", {}, make("code", {}, text || "(typed in)")), make("p", { class: "file" }, `${file}, line ${line}`));
}
