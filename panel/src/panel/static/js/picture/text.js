/** Text of a drawing is not wrapped or cut by the browser: it is measured here. */

const FONT = "600 13px system-ui, sans-serif";
// A name that somebody registered may be endless; the page's memory is not.
const MOST_KEPT = 500;
const widths = new Map();
let context = null;

/** `text`, cut with an ellipsis to so many units. */
export function fitted(text, room) {
  if (widthOf(text) <= room) return text;
  let [shortest, longest] = [0, text.length];
  while (shortest < longest) {
    const middle = Math.ceil((shortest + longest) / 2);
    if (widthOf(`${text.slice(0, middle)}…`) <= room) shortest = middle;
    else longest = middle - 1;
  }
  return `${text.slice(0, shortest).trimEnd()}…`;
}

function widthOf(text) {
  if (widths.has(text)) return widths.get(text);
  context ??= document.createElement("canvas").getContext("2d");
  context.font = FONT;
  const { width } = context.measureText(text);
  if (widths.size >= MOST_KEPT) widths.clear();
  widths.set(text, width);
  return width;
}
