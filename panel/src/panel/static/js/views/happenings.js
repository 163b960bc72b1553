/** What just happened, and whether the shop's books are still right. */

import { h } from "../core/dom.js";
import { clock, t } from "../core/i18n.js";
import { sign } from "../picture/glyphs.js";
import { invariantName } from "./problems.js";

const SHOWN = 200;

export function history(snapshot) {
  const shown = snapshot.history.slice(0, SHOWN);
  if (!shown.length) return h("p", { key: "none", class: "nothing" }, t("history.none"));
  return h(
    "ol",
    { key: "history", class: "history", tabindex: "0", "aria-label": t("history.title") },
    keyed(shown).map(([key, event]) => entry(key, event)),
  );
}

/** Two events of one moment may be alike. */
function keyed(events) {
  const seen = new Map();
  return events
    .toReversed()
    .map((event) => {
      const name = `${event.at} ${event.kind} ${event.subject}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return [`${name} ${seen.get(name)}`, event];
    })
    .toReversed();
}

function entry(key, event) {
  return h(
    "li",
    { key, class: event.kind },
    h("time", { datetime: event.at }, clock(event.at)),
    sign(event.kind),
    h(
      "span",
      { class: "event" },
      h("b", {}, t(`event.${event.kind}`)),
      ` ${event.subject ?? ""}`,
      event.text && h("span", { class: "detail" }, event.text),
    ),
  );
}

export function invariants(snapshot) {
  if (!snapshot.invariants.length)
    return h("p", { key: "none", class: "nothing" }, t("invariants.none"));
  return h(
    "ul",
    { key: "invariants", class: "invariants" },
    snapshot.invariants.map((invariant) =>
      h(
        "li",
        { key: invariant.name, class: invariant.holds ? "holds" : "broken" },
        sign(signOf(invariant)),
        h(
          "span",
          {},
          h("b", {}, invariantName(invariant.name)),
          ` `,
          h("span", { class: "verdict-word" }, t(`invariants.${wordOf(invariant)}`)),
          h("span", { class: "detail" }, invariant.figures),
        ),
      ),
    ),
  );
}

function signOf({ holds }) {
  return holds === null ? "unknown" : holds ? "up" : "down";
}

function wordOf({ holds }) {
  return holds === null ? "unknown" : holds ? "holds" : "broken";
}
