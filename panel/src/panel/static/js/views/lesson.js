/** The guided tour, told beside the picture that shows it. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { command } from "./command.js";

const SHOWN = 200;
const SIGNS = { says: "", does: "▸", sees: "", asserts: "✓", fails: "✗" };

export function lesson(snapshot, hands, form) {
  const { running, step, steps, title, lines = [], titles = [] } = snapshot.lesson ?? {};
  return [
    h("p", { key: "intro", class: "hint" }, t("lesson.intro")),
    running ? stop(hands) : start(hands, form, titles, steps),
    (running || lines.length > 0) &&
      h(
        "p",
        { key: "title", class: "lesson-title" },
        t("lesson.step", { step: step ?? 0, steps: steps ?? 0 }),
        " ",
        h("b", {}, title ?? ""),
      ),
    lines.length > 0 &&
      h(
        "ol",
        { key: "lines", class: "lines", tabindex: "0", "aria-label": t("lesson.title") },
        lines
          .slice(-SHOWN)
          .map((line, index) =>
            h(
              "li",
              { key: String(index), class: line.kind },
              SIGNS[line.kind] && h("span", { class: "mark" }, SIGNS[line.kind]),
              h("span", {}, line.text),
            ),
          ),
      ),
  ];
}

function start(hands, form, titles, steps) {
  const count = titles.length || steps || 8;
  const wanted = form.lesson || null;
  return h(
    "div",
    { key: "start", class: "hand" },
    h(
      "label",
      { class: "field" },
      h("span", {}, t("lesson.which")),
      h(
        "select",
        {
          value: form.lesson,
          onchange: (event) => hands.fill({ lesson: event.target.value }),
        },
        h("option", { key: "all", value: "" }, t("lesson.all")),
        Array.from({ length: count }, (_, index) =>
          h(
            "option",
            { key: String(index + 1), value: String(index + 1) },
            `${index + 1}. ${titles[index] ?? ""}`,
          ),
        ),
      ),
    ),
    hands.handButton("lesson", wanted ? { name: Number(wanted) } : {}, t("hand.lesson")),
    command(wanted ? `make demo STEP=${wanted} PACE=fast` : "make demo PACE=fast"),
  );
}

function stop(hands) {
  return h(
    "div",
    { key: "stop", class: "hand" },
    hands.handButton("lesson-stop", {}, t("hand.lesson-stop")),
  );
}
