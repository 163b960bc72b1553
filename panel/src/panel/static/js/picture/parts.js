/** The boxes of the picture: what a part is, how it is, and its instances. */

import { h } from "../core/dom.js";
import { duration, number, t } from "../core/i18n.js";
import { isAway } from "../model.js";
import { pressed } from "./arrows.js";
import { drawnSign } from "./glyphs.js";
import { SHOWN_INSTANCES } from "./layout.js";
import { fitted } from "./text.js";
import { drawnTopics } from "./topics.js";

const PAD = 12;
const ROW = 20;

/** A box that can be pressed; what is inside depends on the kind of part. */
export function drawnPart(part, box, lanes, snapshot, open) {
  const broken = snapshot.faults.filter((fault) => fault.service === part.name);
  const told = [
    part.name,
    t(`state.${part.state}`),
    part.reason,
    ...broken.map(({ text }) => text),
  ];
  const name = told.filter(Boolean).join(". ");
  const act = () => open({ kind: "part", name: part.name });
  const edge = { x: box.x, y: box.y, width: box.width, height: box.height, rx: 10 };
  return h(
    "g",
    {
      key: part.name,
      class: `part ${part.kind} ${part.state}`,
      role: "button",
      tabindex: "0",
      "aria-label": name,
      onclick: act,
      onkeydown: pressed(act),
    },
    h("title", {}, name),
    h("rect", { key: "box", ...edge, class: "box" }),
    isAway(part) && h("rect", { key: "hatch", ...edge, class: "hatch" }),
    head(part, box),
    broken.length > 0 && drawnSign("fault", box.x + box.width - PAD - 16, box.y + 11),
    inside(part, box, lanes, snapshot),
  );
}

export function drawnClient(box) {
  const middle = box.x + box.width / 2;
  const low = box.height < 60;
  return h(
    "g",
    { key: "client", class: "part client" },
    h("rect", {
      x: box.x,
      y: box.y,
      width: box.width,
      height: box.height,
      rx: 10,
      class: "box",
    }),
    !low &&
      h("path", {
        d: `M${middle - 9} ${box.y + 42}a9 9 0 0 1 18 0M${middle} ${box.y + 18}a6 6 0 1 1-.1 0`,
        class: "person",
      }),
    h(
      "text",
      { x: middle, y: low ? box.y + 25 : box.y + 63, "text-anchor": "middle", class: "name" },
      t("part.client"),
    ),
  );
}

function head(part, box) {
  const room = box.width - 2 * PAD - 24;
  return h(
    "g",
    { key: "head" },
    drawnSign(part.state, box.x + PAD, box.y + 11),
    h("text", { x: box.x + PAD + 23, y: box.y + 24, class: "name" }, fitted(part.name, room)),
  );
}

function inside(part, box, lanes, snapshot) {
  if (part.kind === "kafka") return [stateLine(part, box), drawnTopics(part, lanes, snapshot)];
  if (part.kind === "service") return [instances(part, box), store(part, box)];
  if (part.kind === "gateway") return [instances(part, box), doesGateway(part, box)];
  return platformLine(part, box);
}

function stateLine(part, box) {
  if (part.state === "up") return null;
  return h(
    "text",
    {
      key: "state",
      x: box.x + box.width - PAD,
      y: box.y + 24,
      "text-anchor": "end",
      class: "state",
    },
    t(`state.${part.state}`),
  );
}

function instances(part, box) {
  const shown = part.instances.slice(0, SHOWN_INSTANCES);
  const more = part.instances.length - shown.length;
  if (!shown.length)
    return line(
      "none",
      box,
      0,
      t(`state.${part.state === "up" ? "unknown" : part.state}`),
      "state",
    );
  return shown.map((instance, index) => {
    const last = more > 0 && index === shown.length - 1;
    return h(
      "g",
      {
        key: instance.id,
        class: `instance ${instance.state}${instance.canary ? " canary" : ""}`,
      },
      drawnSign(instance.state, box.x + PAD + 2, box.y + 38 + index * ROW, 12),
      line(
        "words",
        box,
        index,
        last ? t("part.more", { count: more + 1 }) : instanceWords(part, instance),
      ),
    );
  });
}

function instanceWords(part, instance) {
  const numbered = part.kind === "service" && instance.id.startsWith(`${part.name}-`);
  const short = numbered ? `#${instance.id.slice(part.name.length + 1)}` : "";
  const port = instance.address?.includes(":") ? `:${instance.address.split(":").at(-1)}` : "";
  const state = instance.state === "up" ? "" : t(`state.${instance.state}`);
  const canary = instance.canary ? t("part.canary") : "";
  // A version says something only where there are several.
  const versions = new Set(part.instances.map((other) => other.version));
  const version = versions.size > 1 ? instance.version : "";
  return [short, state || port, canary, version].filter(Boolean).join(" ");
}

function line(key, box, index, text, kind = "small") {
  return h(
    "text",
    { key, x: box.x + PAD + 23, y: box.y + 48 + index * ROW, class: kind },
    fitted(text, box.width - PAD - 34),
  );
}

/** The service's database, with what waits in its outbox. */
function store(part, box) {
  const y = box.y + box.height - 24;
  const { rows = null, oldest = null } = part.outbox ?? {};
  const waiting = rows
    ? t("outbox.rows", { count: rows, age: duration(oldest) })
    : t("outbox.empty");
  return h(
    "g",
    { key: "store", class: rows ? "store waiting" : "store" },
    h("path", {
      d: `M${box.x + PAD} ${y + 3}c0-4 14-4 14 0v9c0 4-14 4-14 0zM${box.x + PAD} ${y + 3}c0 4 14 4 14 0`,
      class: "cylinder",
    }),
    h(
      "text",
      { x: box.x + PAD + 23, y: y + 12, class: "small" },
      fitted(part.outbox ? waiting : t("outbox.none"), box.width - PAD - 34),
    ),
  );
}

function doesGateway(part, box) {
  if (box.height < 140) return null;
  const start = box.y + box.height - 5 * 18;
  return ["routes", "tokens", "limits", "canaries", "cache"].map((subject, index) =>
    h(
      "text",
      { key: subject, x: box.x + PAD, y: start + index * 18, class: "small quiet" },
      t(`gateway.${subject}`),
    ),
  );
}

function platformLine(part, box) {
  const count = part.instances.length > 1 ? ` · ${number(part.instances.length)}` : "";
  const text = part.state === "up" ? t(`does.${part.kind}`) : t(`state.${part.state}`);
  return h(
    "text",
    {
      key: "does",
      x: box.x + PAD,
      y: box.y + 46,
      class: part.state === "up" ? "small" : "state",
    },
    fitted(text + count, box.width - 2 * PAD),
  );
}
