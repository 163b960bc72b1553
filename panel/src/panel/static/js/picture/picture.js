/** The shop as a living picture. */

import { h } from "../core/dom.js";
import { arrowId, fuses } from "../model.js";
import { drawnArrow } from "./arrows.js";
import { layoutOf } from "./layout.js";
import { drawnClient, drawnPart } from "./parts.js";

/** `elapsed` seconds have passed since the snapshot came. */
export function picture(snapshot, { pixels, rem, elapsed, open }) {
  const layout = layoutOf(snapshot, pixels, rem);
  const byArrow = fuses(snapshot);
  const flows = flowsOf(snapshot);
  return h(
    "svg",
    {
      key: "shop",
      viewBox: `0 0 ${Math.round(layout.width)} ${Math.round(layout.height)}`,
      class: layout.wide ? "shop wide" : "shop tall",
      role: "group",
      "aria-labelledby": "picture-title",
    },
    definitions(),
    layout.arrows.map((arrow) => {
      const [, from, to] = arrow.id.split(":");
      return drawnArrow(arrow, {
        flows,
        fuse: byArrow.get(arrow.id),
        snapshot,
        elapsed,
        open: () => open({ kind: "fuse", from, to }),
      });
    }),
    layout.boxes.client && drawnClient(layout.boxes.client),
    snapshot.parts
      .filter((part) => layout.boxes[part.name])
      .map((part) => drawnPart(part, layout.boxes[part.name], layout.lanes, snapshot, open)),
  );
}

/** The snapshot's arrows by id; the rail of a phone sums up a service's events. */
export function flowsOf(snapshot) {
  const flows = new Map();
  for (const arrow of snapshot.arrows) {
    if (arrow.kind !== "kafka") {
      flows.set(arrowId(arrow.kind, arrow.from, arrow.to), arrow);
      continue;
    }
    for (const [from, to] of [
      [arrow.from, "kafka"],
      ["kafka", arrow.to],
    ]) {
      if (from === to) continue;
      flows.set(arrowId("kafka", from, to, arrow.topic), arrow);
      const rail = `rail:${from === "kafka" ? to : from}`;
      flows.set(rail, {
        rate: (flows.get(rail)?.rate ?? 0) + (arrow.rate ?? 0),
        errors: 0,
        p99: null,
      });
    }
  }
  return flows;
}

function definitions() {
  return h(
    "defs",
    { key: "defs" },
    h(
      "marker",
      {
        id: "tip",
        viewBox: "0 0 8 8",
        refX: 6,
        refY: 4,
        markerWidth: 9,
        markerHeight: 9,
        markerUnits: "userSpaceOnUse",
        orient: "auto",
      },
      h("path", { d: "M0 0 8 4 0 8z", class: "tip" }),
    ),
    h(
      "pattern",
      {
        id: "hatching",
        width: 8,
        height: 8,
        patternUnits: "userSpaceOnUse",
        patternTransform: "rotate(45)",
      },
      h("path", { d: "M0 0V8", class: "hatching" }),
    ),
  );
}
