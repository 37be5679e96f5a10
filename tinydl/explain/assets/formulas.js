// Numbers and formulas. A formula is MathML with blanks {0}, {1}, ..., which numbers fill.

const DIGITS = 5;
const MATHML = "http://www.w3.org/1998/Math/MathML";

// A number as Python writes it: five significant digits, LaTeX for a power of ten.
function numberText(x) {
  if (typeof x === "string") x = Number(x.replace("inf", "Infinity"));
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "-∞";
  if (x === 0) return "0";
  if (Number.isInteger(x) && Math.abs(x) < 1e9) return String(x);
  const [mantissa, exponent] = x.toExponential(DIGITS - 1).split("e");
  const power = Number(exponent);
  const short = mantissa.replace(/\.?0+$/, "");
  if (power < -4 || power >= DIGITS) {
    const ten = `10^{${power}}`;
    return short === "1" || short === "-1" ? short.slice(0, -1) + ten : `${short} \\cdot ${ten}`;
  }
  const fixed = x.toFixed(Math.max(0, DIGITS - 1 - power));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

// For cells and labels: 1.5e-7 for 1.5 · 10^{-7}, and a true minus sign.
const plain = (x) =>
  numberText(x)
    .replace(/(^|-)10\^\{(-?\d+)\}/, "$11e$2")
    .replace(/ \\cdot 10\^\{(-?\d+)\}/, "e$1")
    .replaceAll("-", "−");

function numberMarkup(text) {
  const inBrackets = text.startsWith("(");
  const bare = inBrackets ? text.slice(1, -1) : text;
  const [, sign, mantissa, power] = /^(-?)(.*?)(?: ?\\cdot )?(?:10\^\{(-?\d+)\})?$/.exec(bare);
  let markup = mantissa ? `<mn>${mantissa}</mn>` : "";
  if (power !== undefined) {
    const exponent = `<mrow>${signed(power)}</mrow>`;
    markup += `${mantissa ? "<mo>·</mo>" : ""}<msup><mn>10</mn>${exponent}</msup>`;
  }
  if (sign) markup = `<mo form="prefix">−</mo>${markup}`;
  return inBrackets ? `<mrow><mo>(</mo>${markup}<mo>)</mo></mrow>` : `<mrow>${markup}</mrow>`;
}

const signed = (text) =>
  text.startsWith("-") ? `<mo form="prefix">−</mo><mn>${text.slice(1)}</mn>` : `<mn>${text}</mn>`;

// The formulas are our own MathML, without a word of the user's; hence innerHTML.
function formula(which, numbers = []) {
  const markup = story.formulas[which].replace(/<mn>\{(\d+)\}<\/mn>|\{(\d+)\}/g, (_, a, b) =>
    a === undefined ? numbers[b] : numberMarkup(numbers[a]));
  const holder = make("span", { class: "formula" });
  holder.innerHTML = markup;
  return holder;
}

// Several statements: side by side where there is room, else below each other.
function display(statements, kind = "") {
  const pieces = statements.map((which, i) =>
    make("span", { class: "statement" }, formula(which), i < statements.length - 1 ? sign(",") : null));
  return make("div", { class: `display ${kind}` }, ...pieces);
}

const sign = (text) => make("span", { class: "sign" }, text);

// An element with attributes and children; text never becomes markup.
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// One line: symbol = term + term + ... = value. Each term is a piece, so that lines can break.
function lineOf(part, onTerm) {
  const join = { sum: "+", product: "·", max: ",", min: "," }[part.combine] ?? "";
  const line = make("p", { class: "line", "data-combine": part.combine });
  line.append(formula(...part.symbol), sign("="));
  const isList = part.combine === "max" || part.combine === "min";
  if (isList) line.append(sign(`${part.combine}(`));
  const pieces = part.terms.map((term, i) => termPiece(term, i > 0 && join, onTerm));
  if (part.elided) {
    const rest = `… ${part.elided} more, ${part.combine === "sum" ? "together" : "in all"} `;
    pieces.push(make("span", { class: "elided", "data-value": part.rest }, `${rest}${plain(part.rest)}`));
  }
  pieces.push(...part.last.map((term) => termPiece(term, join, onTerm)));
  pieces.forEach((piece, i) => {
    const piecewise = make("span", { class: "piece" });
    if (i > 0) piecewise.append(sign(join));
    piecewise.append(piece);
    line.append(piecewise);
  });
  if (!pieces.length) line.append(sign(part.combine === "product" ? "1" : "0"));
  if (isList) line.append(sign(")"));
  if (pieces.length) line.append(make("span", { class: "piece" }, sign("="), valueOf(part.value)));
  return line;
}

const valueOf = (x) => make("strong", { class: "value" }, plain(x));

function termPiece([which, numbers, value, refs], follows, onTerm) {
  const shown = formula(which, numbers);
  const piece = make("span", { class: "term", "data-value": value, title: `= ${plain(value)}` }, shown);
  if (follows && follows !== "," && shown.textContent.startsWith("−")) {
    shown.prepend("(");
    shown.append(")");
  }
  if (onTerm && refs.length) {
    piece.addEventListener("mouseenter", () => onTerm(refs));
    piece.addEventListener("mouseleave", () => onTerm(null));
  }
  return piece;
}
