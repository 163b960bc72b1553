/** A circuit breaker drawn as what it is named after: whole, blown or on trial. */

import { h } from "../core/dom.js";
import { t, wholeSeconds, share } from "../core/i18n.js";

// More dots than this nobody counts.
const MOST_DOTS = 8;
const DOT_STEP = 11;
const CAPS = [
  ["rect", { x: -23, y: -9, width: 9, height: 18, rx: 2, class: "cap" }],
  ["rect", { x: 14, y: -9, width: 9, height: 18, rx: 2, class: "cap" }],
];
const TUBE = ["rect", { x: -14, y: -7, width: 28, height: 14, class: "tube" }];
const SHAPES = {
  CLOSED: [TUBE, ["path", { d: "M-14 0C-7-5 7 5 14 0", class: "wire" }]],
  OPEN: [
    TUBE,
    ["path", { d: "M-14 0-8-2M14 0 8 2", class: "wire" }],
    [
      "path",
      {
        d: "M0-13 2.6-5 9-9 5.4-2.4 13 0 5.4 2.4 9 9 2.6 5 0 13-2.6 5-9 9-5.4 2.4-13 0-5.4-2.4-9-9-2.6-5z",
        class: "burst",
      },
    ],
    ["path", { d: "M-3-3 3 3M3-3-3 3", class: "spark" }],
  ],
  HALF_OPEN: [
    TUBE,
    ["path", { d: "M-14 0H14", class: "wire trying" }],
    ["circle", { cx: 0, cy: 0, r: 9, class: "question" }],
    ["path", { d: "M-2.6-2C-2.6-5.4 2.8-5.2 2.8-2 2.8.2 0 .2 0 2.6M0 4.8V5.6", class: "mark" }],
  ],
  // Taken out by hand, and bridged by hand.
  FORCED_OPEN: [["path", { d: "M-10 10 10-10", class: "spark" }]],
  DISABLED: [TUBE, ["path", { d: "M-18-9C-18-18 18-18 18-9", class: "bridge" }]],
};
export const WORDS = {
  CLOSED: "fuse.CLOSED",
  OPEN: "fuse.OPEN",
  HALF_OPEN: "fuse.HALF_OPEN",
  FORCED_OPEN: "fuse.FORCED_OPEN",
  DISABLED: "fuse.DISABLED",
};

export function fuseGlyph(state, x, y) {
  const shapes = [...CAPS, ...(SHAPES[state] ?? SHAPES.CLOSED)];
  const grown = state === "CLOSED" || state === undefined ? 1.1 : 1.45;
  return h(
    "g",
    {
      class: `fuse ${state ?? "unused"}`,
      transform: `translate(${x} ${y}) scale(${grown})`,
      "aria-hidden": "true",
    },
    shapes.map(([tag, attributes]) => h(tag, attributes)),
  );
}

/** Whole, blown …, of how many instances, and when it is tried next; `elapsed` counts that down. */
export function fuseWords(fuse, elapsed, short = false) {
  if (!fuse) return [t("fuse.unused")];
  const { worst, breakers, alike } = fuse;
  const word = t(WORDS[worst.state]);
  const some =
    alike < breakers.length ? t("fuse.some", { count: alike, all: breakers.length, word }) : word;
  const wait = secondsToTrial(worst, elapsed);
  if (wait === null) return [some];
  return [
    some,
    wait > 0 ? t(short ? "fuse.soon" : "fuse.trial", { wait: wholeSeconds(wait) }) : t("fuse.due"),
  ];
}

/** Null where no trial is awaited. */
export function secondsToTrial(breaker, elapsed) {
  if (breaker.state !== "OPEN" || breaker.nextTrialIn === null || breaker.nextTrialIn === undefined)
    return null;
  return Math.max(0, breaker.nextTrialIn - elapsed);
}

/** `{filled, of}` where single failures are counted, as dots can show. */
function countedDots({ failures, failMax }) {
  return failMax && failMax <= MOST_DOTS
    ? { filled: Math.min(failures ?? 0, failMax), of: failMax }
    : null;
}

export function countWords(breaker) {
  const { failures, failMax, calls, failureRate, threshold } = breaker;
  if (!calls && !failures) return t("fuse.noCalls");
  const inARow = t("fuse.inARow", { count: failures ?? 0, max: failMax ?? "?" });
  if (failureRate === null || failureRate === undefined) return inARow;
  const limit = threshold ? share(threshold / 100) : "?";
  return `${inARow}; ${t("fuse.window", { share: share(failureRate / 100), count: calls, limit })}`;
}

/** A dot for each failure that it takes, filled as they come; centred, or from `x` on. */
export function fuseDots(breaker, { x, y, anchor }) {
  const counted = countedDots(breaker);
  if (!counted) return null;
  const start = anchor === "middle" ? x - ((counted.of - 1) * DOT_STEP) / 2 : x;
  return h(
    "g",
    { key: "dots", class: counted.filled ? "dots filling" : "dots", "aria-hidden": "true" },
    Array.from({ length: counted.of }, (_, index) =>
      h("circle", {
        cx: start + index * DOT_STEP,
        cy: y,
        r: 3.6,
        class: index < counted.filled ? "filled" : "",
      }),
    ),
  );
}
