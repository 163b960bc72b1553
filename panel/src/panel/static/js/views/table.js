/** The picture in words and rows: for who cannot see it, and for exact figures. */

import { h } from "../core/dom.js";
import { clock, duration, number, rate, share, t } from "../core/i18n.js";
import { countWords, fuseWords, secondsToTrial } from "../picture/fuse.js";
import { sign } from "../picture/glyphs.js";
import { fuses } from "../model.js";

export function tables(snapshot, elapsed) {
  return [
    table("parts", ["part", "state", "instances", "outbox", "lag"], snapshot.parts.map(partRow)),
    table("arrows", ["from", "to", "rate", "errors", "p99"], snapshot.arrows.map(arrowRow)),
    table(
      "fuses",
      ["owner", "to", "state", "count", "trial", "reason"],
      fuseRows(snapshot, elapsed),
    ),
    table(
      "topics",
      ["topic", "rate", "dead"],
      snapshot.parts
        .flatMap((part) => part.topics ?? [])
        .map((topic) => [topic.name, topic.name, rate(topic.rate), number(topic.dead)]),
    ),
    h(
      "p",
      { key: "age", class: "hint" },
      t("table.age", {
        time: clock(snapshot.at),
        registry: duration(snapshot.age?.registry),
        metrics: duration(snapshot.age?.metrics),
      }),
    ),
  ];
}

/** `rows` begin with their key. */
function table(name, heads, rows) {
  return h(
    "div",
    {
      key: name,
      class: "scrolled",
      role: "region",
      tabindex: "0",
      "aria-label": t(`table.${name}`),
    },
    h(
      "table",
      {},
      h("caption", {}, t(`table.${name}`)),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => h("th", { key: head, scope: "col" }, t(`column.${head}`))),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(([key, first, ...rest]) =>
          h(
            "tr",
            { key },
            h("th", { scope: "row" }, first),
            rest.map((cell, index) => h("td", { key: String(index) }, cell)),
          ),
        ),
      ),
    ),
  );
}

function partRow(part) {
  const lags = part.consumers.map(
    (consumer) => `${consumer.topic} → ${consumer.group}: ${number(consumer.lag)}`,
  );
  const outbox = part.outbox
    ? `${number(part.outbox.rows)}${part.outbox.rows ? `, ${duration(part.outbox.oldest)}` : ""}`
    : "";
  const state = [
    sign(part.state),
    ` ${t(`state.${part.state}`)}`,
    part.reason ? `: ${part.reason}` : "",
  ];
  return [
    part.name,
    part.name,
    state,
    part.instances.map(instanceWords).join(", "),
    outbox,
    lags.join(", "),
  ];
}

function instanceWords(instance) {
  const marks = [
    t(`state.${instance.state}`),
    instance.canary && t("part.canary"),
    instance.version,
  ].filter(Boolean);
  return `${instance.id} (${marks.join(", ")})`;
}

function arrowRow(arrow) {
  const to = arrow.topic ? `${arrow.to} (${arrow.topic})` : arrow.to;
  return [
    `${arrow.kind}${arrow.from}${arrow.to}${arrow.topic}`,
    arrow.from,
    to,
    rate(arrow.rate),
    share(arrow.errors),
    duration(arrow.p99),
  ];
}

function fuseRows(snapshot, elapsed) {
  return [...fuses(snapshot).values()].flatMap((fuse) =>
    fuse.breakers.map((breaker) => fuseRow(breaker, elapsed)),
  );
}

function fuseRow(breaker, elapsed) {
  const wait = secondsToTrial(breaker, elapsed);
  const alone = { worst: { ...breaker, nextTrialIn: null }, breakers: [breaker], alike: 1 };
  const state = [
    sign(breaker.state),
    ` ${fuseWords(alone, elapsed).join(", ")} (${breaker.state})`,
  ];
  return [
    `${breaker.owner}${breaker.name}`,
    breaker.owner,
    breaker.name,
    state,
    countWords(breaker),
    wait === null ? "" : duration(Math.ceil(wait)),
    breaker.lastFailure ?? "",
  ];
}
