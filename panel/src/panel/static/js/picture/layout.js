/** Where everything stands: beside one another where there is room, else one below the other. */

import { arrowId, services } from "../model.js";
import { wideLayout } from "./wide.js";
import { tallLayout } from "./tall.js";

// In units of the picture, at least a CSS pixel each at the normal size of the text.
const WIDE_FROM = 840;
const COMFORTABLE = 1120;
const NARROWEST = 320;
// Callers above those they call; what a reader adds comes after them.
const ORDER = ["user-service", "order-service", "catalog-service"];
export const SHOWN_INSTANCES = 4;

/** `{width, height, boxes, lanes, arrows}`; `pixels` is the room, `rem` a reader's size of text. */
export function layoutOf(snapshot, pixels, rem) {
  const scale = Math.max(rem / 16, pixels / COMFORTABLE);
  const width = Math.max(NARROWEST, pixels / scale);
  const plan = planOf(snapshot);
  if (width >= WIDE_FROM) return { ...wideLayout(plan, width), wide: true };
  // One below the other there is nothing to gain from larger text than the page's.
  return { ...tallLayout(plan, Math.max(NARROWEST, pixels / (rem / 16))), wide: false };
}

function planOf(snapshot) {
  const kind = (name) => snapshot.parts.find((part) => part.kind === name);
  const kafka = kind("kafka");
  return {
    gateway: kind("gateway"),
    services: services(snapshot).sort(
      (left, right) => rank(left.name) - rank(right.name) || left.name.localeCompare(right.name),
    ),
    kafka,
    topics: sortedTopics(kafka?.topics ?? []),
    platform: ["discovery", "config-server", "postgres", "zipkin", "panel"].flatMap((name) =>
      snapshot.parts.filter((part) => part.kind === name),
    ),
    calls: callsBetweenServices(snapshot),
    events: events(snapshot),
  };
}

function rank(name) {
  const place = ORDER.indexOf(name);
  return place < 0 ? ORDER.length : place;
}

// Beside the services that use them, so that few lines cross.
const TOPICS = ["users", "orders", "catalog", "products"];

function sortedTopics(topics) {
  const place = (topic) =>
    TOPICS.includes(topic.name) ? TOPICS.indexOf(topic.name) : TOPICS.length;
  return [...topics].sort(
    (left, right) => place(left) - place(right) || left.name.localeCompare(right.name),
  );
}

function callsBetweenServices(snapshot) {
  const names = new Set(services(snapshot).map((part) => part.name));
  const pairs = new Map();
  for (const arrow of snapshot.arrows) {
    if (arrow.kind === "http" && names.has(arrow.from) && names.has(arrow.to))
      pairs.set(arrowId("http", arrow.from, arrow.to), arrow);
  }
  return [...pairs.values()].map(({ from, to }) => ({ id: arrowId("http", from, to), from, to }));
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
