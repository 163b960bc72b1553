/** The `make` command that does the same, to be copied. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { announce } from "./announcements.js";

export function command(text) {
  return h(
    "span",
    { key: "command", class: "command" },
    h("code", {}, words(text)),
    h(
      "button",
      {
        type: "button",
        class: "copy",
        "aria-label": t("copy.label", { command: text }),
        title: t("copy.title"),
        onclick: () => copy(text),
      },
      copySign(),
    ),
  );
}

/** Broken between its words only: a name with a hyphen stays whole. */
function words(text) {
  return text.split(" ").flatMap((word) => [h("span", { class: "word" }, word), " "]);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce(t("copy.done", { command: text }), true);
  } catch {
    // Only pages of a trusted origin may: the text can be marked by hand.
    announce(t("copy.failed"), true);
  }
}

function copySign() {
  return h(
    "svg",
    { class: "sign", viewBox: "0 0 16 16", "aria-hidden": "true" },
    h("path", { class: "line", d: "M5.5 4.5V1.5H14.5V10.5H11.5M1.5 5.5H10.5V14.5H1.5z" }),
  );
}
