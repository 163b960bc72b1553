/** Where everything stands: beside one another where there is room, else one below the other. */

import { arrowId, fuses, services } from "../model.js";
import { wideLayout } from "./wide.js";
import { tallLayout } from "./tall.js";

// In units of the picture, at least a CSS pixel each at the normal size of the text.
const WIDE_FROM = 840;
const COMFORTABLE = 1120;
const NARROWEST = 320;
const BROADEST_TALL = 520;
// Callers above those they call; above them all whatever a reader adds, which nobody calls yet.
const ORDER = ["user-service", "order-service", "catalog-service"];
export const SHOWN_INSTANCES = 4;

/** `{width, height, boxes, lanes, arrows}`; `pixels` is the room, `rem` a reader's size of text. */
export function layoutOf(snapshot, pixels, rem) {
  const scale = Math.max(rem / 16, pixels / COMFORTABLE);
  const width = pixels / scale;
  const plan = planOf(snapshot);
  if (width >= WIDE_FROM) return { ...wideLayout(plan, width), wide: true };
  return { ...tallLayout(plan, Math.min(BROADEST_TALL, Math.max(NARROWEST, width))), wide: false };
}

function planOf(snapshot) {
  const kind = (name) => snapshot.parts.find((part) => part.kind === name);
  const kafka = kind("kafka");
  const ordered = services(snapshot).sort(
    (left, right) => rank(left.name) - rank(right.name) || left.name.localeCompare(right.name),
  );
  const names = ordered.map((part) => part.name);
  return {
    gateway: kind("gateway"),
    services: ordered,
    kafka,
    topics: sortedTopics(kafka?.topics ?? []),
    platform: ["discovery", "config-server", "postgres", "zipkin", "panel"].flatMap((name) =>
      snapshot.parts.filter((part) => part.kind === name),
    ),
    calls: callsBetweenServices(snapshot, names),
    events: events(snapshot),
  };
}

function rank(name) {
  return ORDER.indexOf(name);
}

// Beside the services that use them, so that few lines cross.
const TOPICS = ["users", "audit", "orders", "catalog", "products"];

function sortedTopics(topics) {
  const place = (topic) =>
    TOPICS.includes(topic.name) ? TOPICS.indexOf(topic.name) : TOPICS.length;
  return [...topics].sort(
    (left, right) => place(left) - place(right) || left.name.localeCompare(right.name),
  );
}

/**
 * Down from caller to called.  A call upwards, as for the keys of tokens, is for the table alone,
 * unless its fuse is not whole.
 */
function callsBetweenServices(snapshot, names) {
  const blown = fuses(snapshot);
  const pairs = new Map();
  for (const { kind, from, to } of snapshot.arrows) {
    if (kind !== "http" || !names.includes(from) || !names.includes(to)) continue;
    const id = arrowId("http", from, to);
    const whole = (blown.get(id)?.worst.state ?? "CLOSED") === "CLOSED";
    if (whole && names.indexOf(from) > names.indexOf(to)) continue;
    pairs.set(id, { id, from, to });
  }
  return [...pairs.values()];
}

/** Who publishes to a topic and who reads it, whichever way an arrow names the broker. */
export function events(snapshot) {
  const ends = new Map();
  const add = (service, topic, publishes) =>
    ends.set(`${service}:${topic}:${publishes}`, { service, topic, publishes });
  for (const { from, to, topic } of snapshot.arrows.filter(
    (arrow) => arrow.kind === "kafka" && arrow.topic,
  )) {
    if (from !== "kafka") add(from, topic, true);
    if (to !== "kafka") add(to, topic, false);
  }
  return [...ends.values()];
}

export function serviceHeight(part) {
  return 66 + 20 * Math.min(Math.max(part.instances.length, 1), SHOWN_INSTANCES);
}
