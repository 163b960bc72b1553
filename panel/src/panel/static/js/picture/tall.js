/** The picture one below the other, for a phone or for very large text. */

import { arrowId } from "../model.js";
import { serviceHeight } from "./layout.js";

const MARGIN = 4;
const RAIL = 14;
const INDENT = 30;
const FUSE_ROW = 92;
const LANE_HEIGHT = 50;
const KAFKA_HEAD = 40;
const PLATFORM_HEIGHT = 58;

export function tallLayout(plan, width) {
  const boxes = {};
  const arrows = [];
  let y = placeTop(plan, width, boxes, arrows);
  for (const [index, part] of plan.services.entries()) {
    const above = plan.services[index - 1];
    boxes[part.name] = {
      x: INDENT,
      y: y + FUSE_ROW,
      width: width - INDENT - 22,
      height: serviceHeight(part),
    };
    if (plan.gateway)
      arrows.push(branch(plan.gateway.name, boxes[plan.gateway.name], part.name, boxes[part.name]));
    arrows.push(...calls(plan, boxes, above, part));
    y = boxes[part.name].y + boxes[part.name].height;
  }
  const lanes = placeKafka(plan, width, y, boxes);
  if (plan.kafka) {
    arrows.push(...eventRails(plan, boxes));
    y = boxes[plan.kafka.name].y + boxes[plan.kafka.name].height;
  }
  return { width, height: placePlatform(plan, width, y + 16, boxes), boxes, lanes, arrows };
}

function placeTop(plan, width, boxes, arrows) {
  boxes.client = { x: MARGIN, y: MARGIN, width: 96, height: 40 };
  if (!plan.gateway) return boxes.client.y + boxes.client.height;
  const gateway = {
    x: MARGIN,
    y: 92,
    width: width - 2 * MARGIN,
    height: 40 + 20 * Math.min(Math.max(plan.gateway.instances.length, 1), 4),
  };
  boxes[plan.gateway.name] = gateway;
  arrows.push({
    id: arrowId("http", "client", plan.gateway.name),
    path: `M48 44V${gateway.y - 2}`,
    label: { x: 62, y: 72, anchor: "start" },
  });
  return gateway.y + gateway.height;
}

/** Down the rail at the left, and through a fuse into the service from above. */
function branch(gatewayName, gateway, name, box) {
  const x = box.x + 28;
  const path = `M${RAIL} ${gateway.y + gateway.height}V${box.y - FUSE_ROW + 8}H${x}V${box.y - 2}`;
  return throughFuse(arrowId("http", gatewayName, name), path, x, box, box.width / 2 - 66);
}

function calls(plan, boxes, above, part) {
  if (!above) return [];
  const between = plan.calls.filter(({ from, to }) => from === above.name && to === part.name);
  const [top, box] = [boxes[above.name], boxes[part.name]];
  const x = box.x + box.width / 2 + 30;
  const path = `M${x} ${top.y + top.height}V${box.y - 2}`;
  return between.map(({ id }) => throughFuse(id, path, x, box, box.width / 2 - 66));
}

/** What flows, and how the fuse is, below one another at the right of it. */
function throughFuse(id, path, x, box, width) {
  const top = box.y - FUSE_ROW;
  return {
    id,
    path,
    label: { x: x + 38, y: top + 24, anchor: "start", stacked: true, short: true, width },
    fuse: {
      x,
      y: top + 40,
      dots: { x: x + 42, y: top + 81 },
      text: {
        x: x + 38,
        y: top + 69,
        anchor: "start",
        width,
        folded: true,
        bare: true,
        short: true,
      },
    },
  };
}

function placeKafka(plan, width, y, boxes) {
  if (!plan.kafka) return {};
  const top = y + 34;
  boxes[plan.kafka.name] = {
    x: MARGIN,
    y: top,
    width: width - 2 * MARGIN,
    height: KAFKA_HEAD + plan.topics.length * LANE_HEIGHT + 4,
  };
  return Object.fromEntries(
    plan.topics.map((topic, index) => [
      topic.name,
      {
        x: MARGIN + 10,
        y: top + KAFKA_HEAD + index * LANE_HEIGHT,
        width: width - 2 * MARGIN - 20,
        height: LANE_HEIGHT - 6,
      },
    ]),
  );
}

/** One rail at the right for the events of all services. */
function eventRails(plan, boxes) {
  const kafka = boxes[plan.kafka.name];
  const x = kafka.x + kafka.width - 10;
  return plan.services
    .filter((part) => plan.events.some((event) => event.service === part.name))
    .map((part) => {
      const box = boxes[part.name];
      const y = box.y + box.height / 2;
      return {
        id: `rail:${part.name}`,
        path: `M${box.x + box.width} ${y}H${x}V${kafka.y - 2}`,
        event: true,
        rail: true,
      };
    });
}

function placePlatform(plan, width, y, boxes) {
  const half = (width - 2 * MARGIN - 8) / 2;
  for (const [index, part] of plan.platform.entries()) {
    boxes[part.name] = {
      x: MARGIN + (index % 2) * (half + 8),
      y: y + Math.floor(index / 2) * (PLATFORM_HEIGHT + 8),
      width: half,
      height: PLATFORM_HEIGHT,
    };
  }
  return y + Math.ceil(plan.platform.length / 2) * (PLATFORM_HEIGHT + 8);
}
