/** One dialog for all: a part, a fuse, an order, the sign-in, the help. */

import { h } from "../core/dom.js";
import { duration, rate, share, t } from "../core/i18n.js";
import { preferences } from "../core/preferences.js";
import { fuses, arrowId, partNamed } from "../model.js";
import { countWords, fuseWords } from "../picture/fuse.js";
import { sign } from "../picture/glyphs.js";
import { orderDialog, safeLink } from "./orders.js";
import { SHORTCUTS } from "./shortcuts.js";

/** `{title, body}` of what is open. */
export function dialogOf(opened, context) {
  const views = { part: partView, fuse: fuseView, order: orderView, signIn, help };
  return views[opened.kind](opened, context);
}

function partView({ name }, { snapshot, hands }) {
  const part = partNamed(snapshot, name);
  if (!part) return { title: name, body: [] };
  return {
    title: name,
    body: [
      h(
        "p",
        { key: "state", class: "status" },
        sign(part.state),
        ` ${t(`state.${part.state}`)}`,
        part.reason && `: ${part.reason}`,
      ),
      h("p", { key: "what", class: "hint" }, t(`about.${part.kind}`)),
      snapshot.faults
        .filter((fault) => fault.service === name)
        .map((fault) => h("p", { key: fault.kind, class: "notice" }, fault.text)),
      part.traffic &&
        h(
          "p",
          { key: "traffic" },
          [
            rate(part.traffic.rate),
            t("arrow.errors", { share: share(part.traffic.errors) }),
            `p99 ${duration(part.traffic.p99)}`,
          ].join(" · "),
        ),
      instanceList(part),
      links(part),
      hands.ofPart(part, snapshot),
    ],
  };
}

function instanceList(part) {
  return h(
    "ul",
    { key: "instances", class: "plain" },
    part.instances.map((instance) =>
      h(
        "li",
        { key: instance.id },
        sign(instance.state),
        ` ${instance.id} `,
        h(
          "small",
          {},
          [
            instance.address,
            t(`state.${instance.state}`),
            instance.canary && t("part.canary"),
            instance.version,
            instance.reason,
          ]
            .filter(Boolean)
            .join(" · "),
        ),
      ),
    ),
  );
}

function links(part) {
  const shown = part.addresses.filter((address) => safeLink(address.url));
  return (
    shown.length > 0 &&
    h(
      "p",
      { key: "links", class: "links" },
      shown.map((address) =>
        h(
          "a",
          { key: address.url, href: address.url, target: "_blank", rel: "noreferrer" },
          address.label,
          h("small", {}, address.url),
        ),
      ),
    )
  );
}

function fuseView({ from, to }, { snapshot, elapsed }) {
  const fuse = fuses(snapshot).get(arrowId("http", from, to));
  return {
    title: t("fuse.name", { from, to }),
    body: [
      h("p", { key: "about", class: "hint" }, t("fuse.about", { from, to })),
      !fuse && h("p", { key: "unused" }, t("fuse.unusedLong")),
      (fuse?.breakers ?? []).map((breaker) =>
        h(
          "section",
          { key: breaker.owner, class: "breaker" },
          h(
            "h3",
            {},
            sign(breaker.state),
            ` ${breaker.owner}: ${fuseWords({ worst: breaker, breakers: [breaker], alike: 1 }, elapsed).join(", ")} (${breaker.state})`,
          ),
          h("p", {}, countWords(breaker)),
          breaker.lastFailure && h("p", {}, t("problem.because", { reason: breaker.lastFailure })),
        ),
      ),
    ],
  };
}

function orderView({ id, life }, { snapshot }) {
  return {
    title: t("order.title", { id }),
    body: orderDialog(
      snapshot.orders.find((order) => order.orderId === id),
      life,
    ),
  };
}

function signIn({ problem, submit }) {
  return {
    title: t("session.title"),
    body: [
      h(
        "form",
        { key: "form", class: "sign-in", onsubmit: submit },
        h("p", { class: "hint" }, t("session.hint")),
        h(
          "label",
          { class: "field" },
          h("span", {}, t("session.password")),
          h("input", {
            type: "password",
            name: "password",
            autocomplete: "current-password",
            autofocus: true,
            required: true,
            "aria-describedby": "sign-in-problem",
          }),
        ),
        h("p", { id: "sign-in-problem", class: "problem", role: "alert" }, problem ?? ""),
        h("button", { type: "submit", class: "act" }, t("session.signIn")),
      ),
    ],
  };
}

function help(_, { toggleShortcuts }) {
  return {
    title: t("help.title"),
    body: [
      h(
        "dl",
        { key: "keys", class: "keys" },
        SHORTCUTS.map(({ key, name }) =>
          h(
            "div",
            { key: name },
            h("dt", {}, h("kbd", {}, key)),
            h("dd", {}, t(`shortcut.${name}`)),
          ),
        ),
      ),
      h(
        "label",
        { key: "on", class: "check" },
        h("input", {
          type: "checkbox",
          checked: preferences.shortcuts,
          onchange: toggleShortcuts,
        }),
        t("help.shortcuts"),
      ),
      h("p", { key: "reading", class: "hint" }, t("help.reading")),
    ],
  };
}
