/** The picture beside one another: client, gateway, services, Kafka; the platform below. */

import { arrowId } from "../model.js";
import { serviceHeight } from "./layout.js";

const MARGIN = 6;
const CALL_GAP = 82;
const QUIET_GAP = 30;
const PLATFORM_GAP = 22;
const PLATFORM_HEIGHT = 56;
const LANE_HEIGHT = 58;
const KAFKA_HEAD = 44;

export function wideLayout(plan, width) {
  const columns = columnsOf(width);
  const boxes = {};
  const bottom = placeServices(plan, columns, boxes);
  const kafkaHeight = KAFKA_HEAD + plan.topics.length * LANE_HEIGHT + 10;
  const height = Math.max(bottom, MARGIN + kafkaHeight);
  const middle = MARGIN + (height - MARGIN) / 2;
  boxes.client = { x: MARGIN, y: middle - 40, width: columns.client, height: 80 };
  if (plan.gateway)
    boxes[plan.gateway.name] = {
      x: columns.gatewayX,
      y: MARGIN,
      width: columns.gateway,
      height: height - MARGIN,
    };
  if (plan.kafka)
    boxes[plan.kafka.name] = {
      x: columns.kafkaX,
      y: MARGIN,
      width: columns.kafka,
      height: height - MARGIN,
    };
  const lanes = lanesOf(plan, columns, height);
  placePlatform(plan, width, height + PLATFORM_GAP, boxes);
  return {
    width,
    height: height + PLATFORM_GAP + PLATFORM_HEIGHT + MARGIN,
    boxes,
    lanes,
    arrows: [...entries(plan, boxes), ...calls(plan, boxes), ...eventLines(plan, boxes, lanes)],
  };
}

function columnsOf(width) {
  const roomy = Math.min(1, Math.max(0, (width - 840) / 280));
  const sized = (narrow, broad) => narrow + roomy * (broad - narrow);
  const [client, gateway, service, kafka] = [
    sized(70, 92),
    sized(116, 150),
    sized(196, 232),
    sized(176, 226),
  ];
  const gaps = width - 2 * MARGIN - client - gateway - service - kafka;
  const [first, second] = [gaps * 0.22, gaps * 0.44];
  const gatewayX = MARGIN + client + first;
  const serviceX = gatewayX + gateway + second;
  return { client, gateway, service, kafka, gatewayX, serviceX, kafkaX: width - MARGIN - kafka };
}

function placeServices(plan, columns, boxes) {
  let y = MARGIN;
  for (const [index, part] of plan.services.entries()) {
    boxes[part.name] = {
      x: columns.serviceX,
      y,
      width: columns.service,
      height: serviceHeight(part),
    };
    const next = plan.services[index + 1];
    y += boxes[part.name].height;
    if (next) y += callsIn(plan, part, next).length ? CALL_GAP : QUIET_GAP;
  }
  return y;
}

function callsIn(plan, upper, lower) {
  return plan.calls.filter(
    ({ from, to }) =>
      (from === upper.name && to === lower.name) || (from === lower.name && to === upper.name),
  );
}

function lanesOf(plan, columns, height) {
  const room = height - MARGIN - KAFKA_HEAD - 10;
  const step = Math.min(room / Math.max(plan.topics.length, 1), 96);
  return Object.fromEntries(
    plan.topics.map((topic, index) => [
      topic.name,
      {
        x: columns.kafkaX + 12,
        y: MARGIN + KAFKA_HEAD + index * step + (step - LANE_HEIGHT) / 2 + 4,
        width: columns.kafka - 24,
        height: LANE_HEIGHT - 8,
      },
    ]),
  );
}

function placePlatform(plan, width, y, boxes) {
  const gap = 14;
  const each =
    (width - 2 * MARGIN - gap * (plan.platform.length - 1)) / Math.max(plan.platform.length, 1);
  for (const [index, part] of plan.platform.entries()) {
    boxes[part.name] = {
      x: MARGIN + index * (each + gap),
      y,
      width: each,
      height: PLATFORM_HEIGHT,
    };
  }
}

/** From the client to the gateway, and from there to each service. */
function entries(plan, boxes) {
  const gateway = boxes[plan.gateway?.name];
  if (!gateway) return [];
  const client = boxes.client;
  const right = client.x + client.width;
  const middle = client.y + client.height / 2;
  const first = {
    id: arrowId("http", "client", plan.gateway.name),
    path: `M${right} ${middle}H${gateway.x - 2}`,
    label: {
      x: (right + gateway.x) / 2,
      y: middle - 12,
      anchor: "middle",
      short: true,
      stacked: true,
      upwards: true,
    },
  };
  return [
    first,
    ...plan.services.map((part) => entry(plan.gateway.name, gateway, part.name, boxes[part.name])),
  ];
}

function entry(gatewayName, gateway, name, box) {
  const from = gateway.x + gateway.width;
  const y = box.y + 40;
  const middle = (from + box.x) / 2;
  return {
    id: arrowId("http", gatewayName, name),
    path: `M${from} ${y}H${box.x - 2}`,
    label: { x: middle, y: y - 17, anchor: "middle", upwards: true },
    fuse: {
      x: middle,
      y,
      dots: { x: middle, y: y + 39, anchor: "middle" },
      text: {
        x: middle,
        y: y + 29,
        anchor: "middle",
        width: box.x - from,
        folded: true,
        bare: true,
      },
    },
  };
}

/** Between services that stand one below the other; of others the line goes round at the right. */
function calls(plan, boxes) {
  const names = plan.services.map((part) => part.name);
  return plan.calls.map(({ id, from, to }) => {
    const [upper, lower] = names.indexOf(from) < names.indexOf(to) ? [from, to] : [to, from];
    const [top, bottom] = [boxes[upper], boxes[lower]];
    const adjacent = names.indexOf(lower) - names.indexOf(upper) === 1;
    return adjacent
      ? straight(
          id,
          from === upper,
          top,
          bottom,
          callsIn(plan, { name: upper }, { name: lower }).findIndex((call) => call.id === id),
        )
      : around(id, boxes[from], boxes[to]);
  });
}

function straight(id, downwards, top, bottom, lane) {
  const x = top.x + 40 + lane * (top.width / 2);
  const [start, end] = [top.y + top.height, bottom.y];
  const middle = (start + end) / 2;
  return {
    id,
    path: downwards ? `M${x} ${start}V${end - 2}` : `M${x} ${end}V${start + 2}`,
    label: { x: x + 42, y: middle - 14, anchor: "start", upwards: true },
    fuse: {
      x,
      y: middle,
      dots: { x: x + 46, y: middle + 19 },
      text: { x: x + 42, y: middle + 5, anchor: "start", width: top.width - 40 },
    },
  };
}

function around(id, from, to) {
  const right = from.x + from.width;
  const x = right + 36;
  const [start, end] = [from.y + from.height - 14, to.y + 14];
  const middle = (start + end) / 2;
  return {
    id,
    path: `M${right} ${start}H${x}V${end}H${right + 2}`,
    fuse: { x, y: middle, dots: { x, y: middle + 24, anchor: "middle" } },
  };
}

/** Curves between services and topics: each end has a place of its own, in the topics' order. */
function eventLines(plan, boxes, lanes) {
  return plan.services.flatMap((part) => {
    const own = plan.events.filter((event) => event.service === part.name && lanes[event.topic]);
    own.sort((left, right) => lanes[left.topic].y - lanes[right.topic].y);
    const box = boxes[part.name];
    return own.map((event, index) => {
      const y = box.y + (box.height * (index + 1)) / (own.length + 1);
      return curve(event, box.x + box.width, y, lanes[event.topic]);
    });
  });
}

function curve({ service, topic, publishes }, x, y, lane) {
  const end = lane.y + lane.height * (publishes ? 0.3 : 0.7);
  const middle = (x + lane.x) / 2;
  const path = publishes
    ? `M${x} ${y}C${middle} ${y} ${middle} ${end} ${lane.x - 3} ${end}`
    : `M${lane.x - 1} ${end}C${middle} ${end} ${middle} ${y} ${x + 3} ${y}`;
  return {
    id: publishes
      ? arrowId("kafka", service, "kafka", topic)
      : arrowId("kafka", "kafka", service, topic),
    path,
    event: true,
  };
}
