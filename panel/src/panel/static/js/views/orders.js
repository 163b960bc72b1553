/** The last orders as they move, and the life of one. */

import { h } from "../core/dom.js";
import {
  clock,
  duration,
  number,
  preciseClock,
  t,
  translated,
  wholeSeconds,
} from "../core/i18n.js";
import { tally } from "../model.js";
import { sign } from "../picture/glyphs.js";

const SHOWN = 50;

export function orders(snapshot, now, open) {
  const shown = snapshot.orders.slice(0, SHOWN);
  return [h("p", { key: "tally", class: "tally" }, tallied(shown)), list(shown, now, open)];
}

function tallied(shown) {
  return Object.entries(tally(shown)).map(([status, count]) =>
    h(
      "span",
      { key: status, class: `count ${status}` },
      sign(status),
      ` ${number(count)} `,
      h("span", {}, statusWord(status)),
    ),
  );
}

function list(shown, now, open) {
  if (!shown.length) return h("p", { key: "none", class: "nothing" }, t("orders.none"));
  return h(
    "ol",
    { key: "orders", class: "orders" },
    shown.map((order) =>
      h(
        "li",
        { key: order.orderId, class: order.status, "data-order": order.orderId },
        row(order, now, open),
      ),
    ),
  );
}

function row(order, now, open) {
  return h(
    "button",
    {
      type: "button",
      class: "order",
      onclick: () => open({ kind: "order", id: order.orderId }),
    },
    h(
      "span",
      { class: "status" },
      sign(order.status),
      ` ${statusWord(order.status)}`,
      order.degraded && h("span", { class: "degraded" }, t("order.degraded")),
    ),
    h("span", { class: "time" }, lasted(order, now)),
    h("span", { class: "what" }, wanted(order)),
    h("span", { class: "total" }, number(order.total)),
  );
}

/** Until it was decided, or until now. */
function lasted(order, now) {
  const end = order.decidedAt
    ? Date.parse(order.decidedAt)
    : order.status === "PENDING"
      ? now
      : null;
  if (end === null) return t("order.decided");
  const seconds = Math.max(0, (end - Date.parse(order.placedAt)) / 1000);
  if (order.status === "PENDING") return t("order.waiting", { time: wholeSeconds(seconds) });
  return `${clock(order.placedAt)} · ${duration(seconds)}`;
}

function wanted(order) {
  return (order.lines ?? [])
    .map((line) => `${number(line.qty)} × ${line.productName ?? line.productId}`)
    .join(", ");
}

function statusWord(status) {
  return translated(`status.${status}`, status);
}

/** What the dialog shows: `life` is null until it has come, or says why it does not. */
export function orderDialog(order, life) {
  const status = life?.status ?? order?.status;
  return [
    h(
      "p",
      { key: "status", class: "status" },
      sign(status),
      ` ${statusWord(status ?? "")}`,
      (life?.degraded ?? order?.degraded) && h("span", { class: "degraded" }, t("order.degraded")),
    ),
    (life?.degraded ?? order?.degraded) &&
      h("p", { key: "why", class: "hint" }, t("order.degradedMeans")),
    order &&
      h(
        "p",
        { key: "what" },
        `${wanted(order)} · ${t("order.total", { total: number(order.total) })}`,
      ),
    life?.problem ? h("p", { key: "problem", class: "problem" }, life.problem) : steps(life),
    trace(life?.traceUrl ?? order?.traceUrl),
  ];
}

function steps(life) {
  if (!life) return h("p", { key: "steps" }, t("order.loading"));
  const start = Date.parse(life.steps.find((step) => step.at)?.at);
  return h(
    "ol",
    { key: "steps", class: "steps" },
    life.steps.map((step) =>
      h(
        "li",
        { key: step.name, class: step.at ? "reached" : "" },
        h("b", {}, translated(`step.${step.name.replaceAll(" ", "-")}`, step.name)),
        h(
          "span",
          { class: "time" },
          step.at
            ? `${preciseClock(step.at)} (+${duration((Date.parse(step.at) - start) / 1000)})`
            : t("order.notYet"),
        ),
      ),
    ),
  );
}

function trace(url) {
  const safe = safeLink(url);
  return (
    safe &&
    h(
      "p",
      { key: "trace" },
      h("a", { href: safe, target: "_blank", rel: "noreferrer" }, t("order.trace")),
    )
  );
}

/** An address of the web, and nothing that would run here. */
export function safeLink(url) {
  return /^https?:\/\//.test(url ?? "") ? url : null;
}
