/** Kafka's topics as pipes: what goes through, who lags behind, what is dead. */

import { h } from "../core/dom.js";
import { rate, t } from "../core/i18n.js";
import { fitted } from "./text.js";

const MOUTH = 8;

export function drawnTopics(part, lanes, snapshot) {
  const consumers = snapshot.parts.flatMap((reader) => reader.consumers);
  return part.topics.map((topic) => {
    const readers = consumers.filter((consumer) => consumer.topic === topic.name);
    return drawnTopic(topic, readers, lanes[topic.name]);
  });
}

function drawnTopic(topic, readers, lane) {
  const text = { x: lane.x + 2 * MOUTH, end: lane.x + lane.width - 22 };
  const lag = Math.max(0, ...readers.map((reader) => reader.lag ?? 0));
  const flow = [rate(topic.rate), readers.length > 0 && t("topic.lag", { count: lag })];
  return h(
    "g",
    { key: `topic-${topic.name}`, class: "topic" },
    pipe(lane),
    h(
      "text",
      { key: "name", x: text.x, y: lane.y + 20, class: "topic-name" },
      fitted(topic.name, lane.width - 40),
    ),
    h(
      "text",
      { key: "lag", x: text.x, y: lane.y + 38, class: lag ? "small warn" : "small quiet" },
      flow.filter(Boolean).join(" · "),
    ),
    topic.dead > 0 &&
      h(
        "text",
        { key: "dead", x: text.end, y: lane.y + 20, "text-anchor": "end", class: "small bad" },
        `✕ ${t("topic.dead", { count: topic.dead })}`,
      ),
  );
}

function pipe({ x, y, width, height }) {
  const round = { rx: MOUTH, ry: height / 2 };
  return [
    h("rect", { x, y, width, height, ...round, class: "pipe" }),
    h("ellipse", { cx: x + width - MOUTH, cy: y + height / 2, ...round, class: "mouth" }),
  ];
}
