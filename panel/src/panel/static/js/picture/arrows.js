/** The arrows with what flows on them, and the fuses in them. */

import { h } from "../core/dom.js";
import { duration, rate, share, t } from "../core/i18n.js";
import { isAway, partNamed } from "../model.js";
import { countWords, fuseDots, fuseGlyph, fuseWords } from "./fuse.js";
import { fitted } from "./text.js";

// From so many requests a second on, the dots on a line move like this.
const PACES = [
  [20, "fast"],
  [4, "brisk"],
  [0, "slow"],
];
const LINE = 15;

/** `flows` are the snapshot's arrows by id. */
export function drawnArrow(arrow, { flows, fuse, snapshot, elapsed, open }) {
  const flow = flows.get(arrow.id);
  const failing = (flow?.errors ?? 0) > 0;
  const cut = isCut(arrow, fuse, snapshot);
  const classes = ["arrow", arrow.event && "event", failing && "failing", cut && "cut"];
  return h(
    "g",
    { key: arrow.id, class: classes.filter(Boolean).join(" ") },
    h("path", {
      key: "line",
      d: arrow.path,
      class: "line",
      "stroke-width": thickness(flow?.rate),
      "marker-end": "url(#tip)",
    }),
    flow?.rate > 0 &&
      !cut &&
      h("path", { key: "flow", d: arrow.path, class: `flow ${paceOf(flow.rate)}` }),
    arrow.label && flow && lines(arrow.label, figures(flow, arrow.label)),
    arrow.fuse && drawnFuse(arrow, fuse, elapsed, open),
  );
}

/** Nothing goes through: an end is away, or the fuses of all instances are blown. */
function isCut(arrow, fuse, snapshot) {
  const blown =
    ["OPEN", "FORCED_OPEN"].includes(fuse?.worst.state) && fuse.alike === fuse.breakers.length;
  const [, from, to] = arrow.id.split(":");
  return blown || [from, to].some((name) => isAway(partNamed(snapshot, name)));
}

function thickness(requests) {
  return (1.5 + Math.min(3.5, Math.log2(1 + (requests ?? 0)) * 0.7)).toFixed(1);
}

function paceOf(requests) {
  return PACES.find(([least]) => requests > least)[1];
}

/** Requests a second and p99 on one line, or on two where it is narrow; errors only if there are any. */
function figures(flow, { stacked, short }) {
  if (flow.rate === null) return [];
  if (!flow.rate) return [["rate", "figure quiet", rate(flow.rate)]];
  const p99 = flow.p99 === null ? [] : [duration(flow.p99)];
  const shown = stacked ? [rate(flow.rate), ...p99] : [[rate(flow.rate), ...p99].join(" · ")];
  const failed = short ? share(flow.errors) : t("arrow.errors", { share: share(flow.errors) });
  const errors = flow.errors > 0 ? [["errors", "figure bad", `✕ ${failed}`]] : [];
  return [...errors, ...shown.map((text, index) => [`figure${index}`, "figure", text])];
}

/** From `y` downwards, or with `upwards` so that the last of them stands there. */
function lines({ x, y, anchor, width = Infinity, upwards = false }, shown) {
  const first = upwards ? y - (shown.length - 1) * LINE : y;
  return shown.map(([key, kind, text], index) =>
    h(
      "text",
      { key, x, y: first + index * LINE, "text-anchor": anchor, class: kind },
      fitted(text, width),
    ),
  );
}

/** The fuse, its count towards opening or its wait for the trial, and why it last failed. */
function drawnFuse(arrow, fuse, elapsed, open) {
  const { x, y, text } = arrow.fuse;
  const [, from, to] = arrow.id.split(":");
  const words = fuseWords(fuse, elapsed, text?.short);
  const state = fuse?.worst.state;
  const reason = state === "CLOSED" ? null : fuse?.worst.lastFailure;
  const name = [
    t("fuse.name", { from, to }),
    words.join(", "),
    fuse && countWords(fuse.worst),
    reason,
  ]
    .filter(Boolean)
    .join(". ");
  return h(
    "g",
    {
      key: "fuse",
      class: "holder",
      role: "button",
      tabindex: "0",
      "aria-label": name,
      onclick: open,
      onkeydown: pressed(open),
    },
    h("title", {}, name),
    h("rect", { x: x - 27, y: y - 14, width: 54, height: 28, rx: 6, class: "back" }),
    h("rect", { key: "hit", ...reach(arrow.fuse), class: "hit" }),
    fuseGlyph(state, x, y),
    state === "CLOSED" && fuseDots(fuse.worst, arrow.fuse.dots),
    text && fuse && lines(text, fuseLines(text, words, state, reason)),
  );
}

/** A fuse is pressed anywhere, its words included. */
function reach({ x, y, text }) {
  if (text?.anchor !== "start") return { x: x - 55, y: y - 18, width: 110, height: 62 };
  return { x: x - 33, y: y - 26, width: text.x + text.width - x + 33, height: 58 };
}

function fuseLines({ folded, bare }, words, state, reason) {
  const kind = `word ${state ?? "unused"}`;
  const said = folded
    ? words.map((word, index) => [`word${index}`, kind, word])
    : [["word", kind, words.join(" · ")]];
  return reason && !bare ? [...said, ["reason", "reason", reason]] : said;
}

/** Enter and space do to a drawn button what they do to any. */
export function pressed(act) {
  return (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    act(event);
  };
}
