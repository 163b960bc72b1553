/** A tree of plain descriptions (hyperscript), and the one function that makes the page like it. */

const SVG = "http://www.w3.org/2000/svg";
// Set as properties: what the user did to them since is not seen in the attribute.
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "open", "textContent"]);
const drawn = new WeakMap();

/** `h("li", {key: id, class: "order"}, "text", h("b", {}, "…"))`; null and false are left out. */
export function h(tag, attributes = {}, ...children) {
  const { key, ...rest } = attributes ?? {};
  return { tag, key, attributes: rest, children: children.flat(Infinity).filter(isShown) };
}

/** Make the children of `parent` what `children` say: nodes that stay are kept, focus and all. */
export function patch(parent, children) {
  const wanted = [children].flat(Infinity).filter(isShown);
  const pool = poolOf(parent);
  const nodes = wanted.map((child) => reuse(pool, child) ?? create(child, parent));
  for (const leftover of pool.values()) for (const node of leftover) node.remove();
  let cursor = parent.firstChild;
  for (const [index, node] of nodes.entries()) {
    // A node that is where it belongs is not touched: moved, it would lose the focus.
    if (node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(node, cursor);
    update(node, wanted[index]);
  }
}

function isShown(child) {
  return child !== null && child !== undefined && child !== false;
}

function identity(child) {
  return typeof child === "object" ? `${child.tag}#${child.key ?? ""}` : "#text";
}

function poolOf(parent) {
  const pool = new Map();
  for (const node of [...parent.childNodes]) {
    const name = drawn.has(node) ? identity(drawn.get(node)) : "";
    if (pool.has(name)) pool.get(name).push(node);
    else pool.set(name, [node]);
  }
  return pool;
}

function reuse(pool, child) {
  return pool.get(identity(child))?.shift();
}

function create(child, parent) {
  if (typeof child !== "object") {
    const text = document.createTextNode(child);
    drawn.set(text, child);
    return text;
  }
  const inSvg =
    child.tag === "svg" || (parent.namespaceURI === SVG && parent.tagName !== "foreignObject");
  const node = inSvg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
  drawn.set(node, { ...child, attributes: {} });
  return node;
}

function update(node, child) {
  if (typeof child !== "object") {
    if (node.data !== String(child)) node.data = child;
    return;
  }
  const before = drawn.get(node).attributes;
  for (const name of Object.keys(before)) {
    if (!(name in child.attributes)) set(node, name, null);
  }
  // A select takes its value only once it has its options.
  patch(node, child.children);
  for (const [name, value] of Object.entries(child.attributes)) {
    const current = PROPERTIES.has(name) ? node[name] : before[name];
    if (current !== value) set(node, name, value);
  }
  drawn.set(node, child);
}

function set(node, name, value) {
  if (name.startsWith("on")) node[name] = value;
  else if (PROPERTIES.has(name))
    node[name] = value ?? (typeof node[name] === "boolean" ? false : "");
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : value);
}
