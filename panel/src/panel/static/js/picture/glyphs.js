/** Signs of 16 by 16 whose shape alone says what they mean. */

import { h } from "../core/dom.js";

const SIGNS = {
  up: [
    "ok",
    [
      ["circle", { cx: 8, cy: 8, r: 7, class: "disc" }],
      ["path", { d: "M4.5 8.3 7 10.8 11.6 5.6", class: "cut" }],
    ],
  ],
  degraded: [
    "warn",
    [
      ["path", { d: "M8 1 15.4 14.4H.6z", class: "disc" }],
      ["path", { d: "M8 5.6V9.6M8 11.6V12.4", class: "cut" }],
    ],
  ],
  down: [
    "bad",
    [
      ["rect", { x: 1, y: 1, width: 14, height: 14, rx: 2, class: "disc" }],
      ["path", { d: "M4.8 4.8 11.2 11.2M11.2 4.8 4.8 11.2", class: "cut" }],
    ],
  ],
  starting: ["warn", [["circle", { cx: 8, cy: 8, r: 6, class: "ring dashed" }]]],
  stopped: ["bad", [["rect", { x: 2, y: 2, width: 12, height: 12, rx: 1, class: "ring" }]]],
  paused: ["bad", [["path", { d: "M3 2H6.5V14H3zM9.5 2H13V14H9.5z", class: "disc" }]]],
  unknown: [
    "warn",
    [
      ["circle", { cx: 8, cy: 8, r: 6.5, class: "ring" }],
      ["path", { d: "M6 6.4C6 3.8 10 3.9 10 6.3 10 7.9 8 7.9 8 9.6M8 11.4V12.2", class: "line" }],
    ],
  ],
  pending: [
    "warn",
    [
      [
        "path",
        {
          d: "M4 1.5H12M4 14.5H12M4.8 2C4.8 6.5 7.4 7 7.4 8S4.8 9.5 4.8 14M11.2 2C11.2 6.5 8.6 7 8.6 8S11.2 9.5 11.2 14",
          class: "line",
        },
      ],
    ],
  ],
  cancelled: [
    "calm",
    [
      ["circle", { cx: 8, cy: 8, r: 6.5, class: "ring" }],
      ["path", { d: "M3.6 12.4 12.4 3.6", class: "line" }],
    ],
  ],
  change: [
    "calm",
    [["path", { d: "M3 6H13M10 3 13 6 10 9M13 11H3M6 8.5 3 11 6 13.5", class: "line" }]],
  ],
  letter: [
    "bad",
    [
      ["rect", { x: 1.5, y: 3, width: 13, height: 10, rx: 1, class: "ring" }],
      ["path", { d: "M5.5 6 10.5 11M10.5 6 5.5 11", class: "line" }],
    ],
  ],
  fault: ["warn", [["path", { d: "M9 .8 3 9H7.4L6.4 15.2 13 6.4H8.4z", class: "disc" }]]],
};

// What else has the sign of one of these.
const ALIASES = {
  OPEN: "down",
  FORCED_OPEN: "stopped",
  HALF_OPEN: "unknown",
  CONFIRMED: "up",
  REJECTED: "down",
  PENDING: "pending",
  CANCELLED: "cancelled",
  "instance-gone": "stopped",
  "instance-come": "up",
  "breaker-opened": "down",
  "breaker-trial": "unknown",
  "breaker-closed": "up",
  "configuration-changed": "change",
  "fault-applied": "fault",
  "fault-healed": "up",
  "dead-letter": "letter",
  "self-preservation": "degraded",
  running: "starting",
  done: "up",
  failed: "down",
};

/** The sign as part of a drawing, at this place. */
export function drawnSign(name, x, y, size = 16) {
  const [tone, shapes] = signOf(name);
  return h(
    "g",
    {
      key: "sign",
      class: `sign ${tone}`,
      transform: `translate(${x} ${y}) scale(${size / 16})`,
      "aria-hidden": "true",
    },
    shapes.map(([tag, attributes]) => h(tag, attributes)),
  );
}

/** The sign in a line of text. */
export function sign(name) {
  const [tone, shapes] = signOf(name);
  return h(
    "svg",
    { key: "sign", class: `sign ${tone}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    shapes.map(([tag, attributes]) => h(tag, attributes)),
  );
}

function signOf(name) {
  return SIGNS[name] ?? SIGNS[ALIASES[name]] ?? SIGNS.unknown;
}
