/** The first thing to read: does the shop work, what is wrong, and what is broken on purpose. */

import { h } from "../core/dom.js";
import { clock, duration, rate, share, t, wholeSeconds } from "../core/i18n.js";
import { tally, verdict } from "../model.js";
import { sign } from "../picture/glyphs.js";
import { command } from "./command.js";
import { problemText } from "./problems.js";

const SHOWN_PROBLEMS = 4;
// What is not there yet is not broken.
const NOT_YET = ["starting", "unknown"];
const SIGNS = { works: "up", strained: "degraded", broken: "down" };

/** Before the first snapshot, and while there is no panel to give one. */
export function silence(connected, lostFor) {
  const lost = connected === false;
  return h(
    "div",
    { key: "verdict", class: lost ? "verdict lost" : "verdict waiting" },
    sign(lost ? "down" : "starting"),
    h(
      "div",
      {},
      h("p", { class: "headline" }, t(lost ? "verdict.lost" : "verdict.waiting")),
      lost && h("p", {}, t("verdict.lostFor", { time: wholeSeconds(lostFor) })),
    ),
  );
}

export function verdictBanner(snapshot, elapsed) {
  const { level, problems } = verdict(snapshot);
  const more = problems.length - SHOWN_PROBLEMS;
  return h(
    "div",
    { key: "verdict", class: `verdict ${level}` },
    sign(SIGNS[level]),
    h(
      "div",
      { class: "said" },
      h("p", { class: "headline" }, t(headline(level, problems))),
      problems.length === 0 &&
        level === "works" &&
        h("p", { class: "calm" }, t(snapshot.orders.length ? "verdict.quiet" : "verdict.invite")),
      h(
        "ul",
        { class: "problems" },
        problems.slice(0, SHOWN_PROBLEMS).map((problem) => problemLine(problem, elapsed)),
        more > 0 && h("li", { key: "more" }, t("verdict.more", { count: more })),
      ),
    ),
    figures(snapshot),
  );
}

function headline(level, problems) {
  if (level !== "strained") return `verdict.${level}`;
  if (problems.length === 0) return "verdict.onPurpose";
  return problems.every(({ sign }) => NOT_YET.includes(sign))
    ? "verdict.starting"
    : "verdict.strained";
}

function problemLine(problem, elapsed) {
  return h(
    "li",
    { key: problem.key },
    sign(problem.sign),
    h("span", {}, problemText(problem, elapsed)),
  );
}

function figures(snapshot) {
  const entry = snapshot.arrows.find((arrow) => arrow.from === "client" && arrow.kind === "http");
  const counts = tally(snapshot.orders);
  const shown = [
    ["rate", rate(entry?.rate)],
    ["errors", share(entry?.errors)],
    ["p99", duration(entry?.p99)],
    ["pending", String(counts.PENDING)],
  ];
  return h(
    "dl",
    { class: "figures" },
    shown.map(([name, value]) =>
      h("div", { key: name }, h("dt", {}, t(`figure.${name}`)), h("dd", {}, value)),
    ),
  );
}

/** What was broken on purpose, with the way to heal it. */
export function brokenOnPurpose(snapshot, hands) {
  if (!snapshot.faults.length) return null;
  return h(
    "section",
    { key: "faults", class: "faults", "aria-labelledby": "faults-title" },
    h("h2", { id: "faults-title" }, t("faults.title")),
    h(
      "ul",
      {},
      snapshot.faults.map((fault) =>
        h(
          "li",
          { key: `${fault.service}${fault.kind}${fault.text}` },
          sign("fault"),
          h("b", {}, fault.service),
          ` ${fault.text}`,
          fault.since && h("small", {}, t("faults.since", { time: clock(fault.since) })),
        ),
      ),
    ),
    hands.handButton("heal", {}, t("hand.heal")),
    command("make heal"),
  );
}
