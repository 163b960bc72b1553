/** Every hand: what it asks for, what it sends, and the command that does the same. */

const OURS = ["gateway", "service", "discovery", "config-server"];
const ANY = [...OURS, "kafka", "postgres", "zipkin"];
const kinds =
  (...allowed) =>
  (part) =>
    allowed.includes(part.kind);
const numberOf = (form) => Number(form.instance.split("-").at(-1));
const instanceOf = (form) => (form.instance ? ` INSTANCE=${numberOf(form)}` : "");
const on = (form) => ({
  service: form.service,
  ...(form.instance ? { instance: numberOf(form) } : {}),
});
const plain = (verb, targets, breaks = true) => ({
  target: targets,
  breaks,
  body: on,
  command: (form) => `make ${verb} SERVICE=${form.service}${instanceOf(form)}`,
});

export const VERBS = {
  order: {
    fields: [{ name: "product" }, { name: "qty", min: 1, max: 1000 }],
    body: ({ product, qty }) => ({ product, qty }),
    command: ({ product, qty }) => `make order PRODUCT=${product} QTY=${qty}`,
  },
  traffic: {
    fields: [{ name: "rate", min: 1, max: 100 }],
    body: ({ rate }) => ({ rate }),
    command: ({ rate }) => `make traffic RATE=${rate}`,
  },
  kill: plain("kill", kinds(...ANY)),
  stop: plain("stop", kinds(...ANY)),
  pause: plain("pause", kinds(...ANY)),
  slow: {
    ...plain("slow", kinds(...ANY)),
    fields: [{ name: "ms", min: 1, max: 60000 }],
    body: (form) => ({ ...on(form), ms: form.ms }),
    command: (form) => `make slow SERVICE=${form.service} MS=${form.ms}${instanceOf(form)}`,
  },
  fail: {
    ...plain("fail", kinds(...OURS)),
    fields: [{ name: "percent", min: 1, max: 100 }],
    body: (form) => ({ ...on(form), percent: form.percent }),
    command: (form) =>
      `make fail SERVICE=${form.service} RATE=${form.percent / 100}${instanceOf(form)}`,
  },
  start: {
    ...plain("start", kinds(...ANY), false),
    body: ({ service }) => ({ service }),
    command: ({ service }) => `make start SERVICE=${service}`,
  },
  heal: { body: () => ({}), command: () => "make heal" },
  verify: { body: () => ({}), command: () => "make verify" },
  replay: { body: () => ({}), command: () => "make replay-dead" },
  scale: {
    target: kinds("service", "discovery"),
    fields: [{ name: "n", min: 1, max: 8 }],
    body: ({ service, n }) => ({ service, n }),
    command: ({ service, n }) => `make scale SERVICE=${service} N=${n}`,
  },
  roll: {
    target: kinds("service"),
    body: ({ service }) => ({ service }),
    command: ({ service }) => `make roll SERVICE=${service}`,
  },
  canary: {
    target: kinds("service"),
    fields: [{ name: "weight", min: 0, max: 100 }],
    body: ({ service, weight }) => ({ service, weight }),
    command: ({ service, weight }) => `make canary SERVICE=${service} WEIGHT=${weight}`,
  },
};

export const GROUPS = [
  { name: "customers", verbs: ["order", "traffic"] },
  { name: "break", verbs: ["kill", "stop", "pause", "slow", "fail"] },
  { name: "mend", verbs: ["start", "heal", "replay", "verify"] },
  { name: "change", verbs: ["scale", "roll", "canary"] },
];

/** The names of the parts that this verb can be used on. */
export function fitting(verb, snapshot) {
  return snapshot.parts.filter(VERBS[verb].target).map((part) => part.name);
}
