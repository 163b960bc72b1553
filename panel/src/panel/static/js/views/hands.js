/** The hands: what can be done to the shop, each beside the command that does the same. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { session, use } from "../core/session.js";
import { isAway, partNamed } from "../model.js";
import { sign } from "../picture/glyphs.js";
import { announce } from "./announcements.js";
import { command } from "./command.js";
import { GROUPS, VERBS, fitting } from "./verbs.js";

const SHOWN_LINES = 6;

export class Hands {
  form = {
    service: "catalog-service",
    instance: "",
    product: "CATALOG-0001",
    qty: 2,
    rate: 5,
    ms: 800,
    percent: 50,
    n: 2,
    weight: 10,
    lesson: "",
  };
  #changed;
  #askPassword;
  #begun;
  busy = new Set();

  constructor({ changed, askPassword, begun }) {
    this.#changed = changed;
    this.#askPassword = askPassword;
    this.#begun = begun;
  }

  fill(values) {
    Object.assign(this.form, values);
    if ("service" in values) this.form.instance = "";
    this.#changed();
  }

  /** Does it; who has not signed in is asked to, and then it is done. */
  async act(verb, body) {
    if (session.hands && !session.signedIn) return this.#askPassword(() => this.act(verb, body));
    this.busy.add(verb);
    this.#changed();
    const { status, problem } = await use(verb, body);
    this.busy.delete(verb);
    if (status === 401) {
      session.signedIn = false;
      this.#askPassword(() => this.act(verb, body));
    } else {
      if (!problem) this.#begun();
      announce(problem ?? t("hands.begun", { verb: t(`hand.${verb}`) }), true);
    }
    this.#changed();
    return undefined;
  }

  handButton(verb, body, label, kind = "") {
    const off = !session.hands;
    return h(
      "button",
      {
        key: `${verb}${label}`,
        type: "button",
        class: `act ${kind}`,
        disabled: off || this.busy.has(verb),
        "data-verb": verb,
        title: off ? t("hands.off") : null,
        onclick: () => this.act(verb, body),
      },
      label,
    );
  }

  panel(snapshot) {
    return [
      this.#standing(),
      this.#target(snapshot),
      ...GROUPS.map((group) => this.#group(group, snapshot)),
      jobs(snapshot),
    ];
  }

  /** The hands that fit one part, for its dialog. */
  ofPart(part, snapshot) {
    const verbs = Object.keys(VERBS).filter(
      (verb) => VERBS[verb].target && fitting(verb, snapshot).includes(part.name),
    );
    const form = { ...this.form, service: part.name, instance: "" };
    // What is away is wanted back.
    if (isAway(part)) verbs.sort((left, right) => (right === "start") - (left === "start"));
    return h(
      "div",
      { key: "hands", class: "hands-of-part" },
      this.#standing(),
      verbs.map((verb) => this.#hand(verb, snapshot, form)),
    );
  }

  #standing() {
    if (!session.hands) return h("p", { key: "standing", class: "notice" }, t("hands.off"));
    return session.signedIn
      ? null
      : h("p", { key: "standing", class: "notice" }, t("hands.signIn"));
  }

  #group({ name, verbs }, snapshot) {
    return h(
      "fieldset",
      { key: name, class: `group ${name}` },
      h("legend", {}, t(`hands.${name}`)),
      verbs.map((verb) => this.#hand(verb, snapshot)),
    );
  }

  #target(snapshot) {
    const part = partNamed(snapshot, this.form.service);
    const instances = part?.kind === "service" ? part.instances : [];
    return h(
      "div",
      { key: "target", class: "target" },
      this.#choice(
        "service",
        fitting("kill", snapshot).map((name) => [name, name]),
      ),
      instances.length > 1 &&
        this.#choice("instance", [
          ["", t("hands.everyInstance")],
          ...instances.map(({ id }) => [id, id]),
        ]),
    );
  }

  #hand(verb, snapshot, form = this.form) {
    const { fields = [], target, body, command: commandOf } = VERBS[verb];
    const unfit = target && !fitting(verb, snapshot).includes(form.service);
    const button = this.handButton(
      verb,
      body(form),
      t(`hand.${verb}`),
      VERBS[verb].breaks ? "breaks" : "",
    );
    if (unfit)
      button.attributes = {
        ...button.attributes,
        disabled: true,
        title: t("hands.unfit", { part: form.service }),
      };
    return h(
      "div",
      { key: verb, class: "hand" },
      button,
      fields.map((field) => this.#field(field, snapshot)),
      verb === "traffic" && this.handButton("traffic", { rate: 0 }, t("hand.traffic-stop")),
      command(commandOf(form)),
    );
  }

  #field(field, snapshot) {
    if (field.name === "product") return this.#choice("product", products(snapshot));
    return h(
      "label",
      { key: field.name, class: "field" },
      h("span", {}, t(`field.${field.name}`)),
      h("input", {
        type: "number",
        min: field.min,
        max: field.max,
        value: String(this.form[field.name]),
        onchange: (event) => this.fill({ [field.name]: bounded(event.target, field) }),
      }),
    );
  }

  #choice(name, options) {
    return h(
      "label",
      { key: name, class: "field" },
      h("span", {}, t(`field.${name}`)),
      h(
        "select",
        {
          value: this.form[name],
          onchange: (event) => this.fill({ [name]: event.target.value }),
        },
        options.map(([value, text]) => h("option", { key: value, value }, text)),
      ),
    );
  }
}

function bounded(input, { min, max }) {
  return Math.min(max, Math.max(min, Math.round(Number(input.value)) || min));
}

function products(snapshot) {
  const known = new Map(["CATALOG-0001", "CATALOG-0002", "CATALOG-0003"].map((id) => [id, id]));
  const lines = snapshot.orders.flatMap((order) => order.lines ?? []);
  for (const { productId, productName } of [...lines, ...(snapshot.products ?? [])])
    known.set(productId, productName ? `${productId} ${productName}` : productId);
  return [...known].sort();
}

/** What was asked for lately, and what came of it. */
function jobs(snapshot) {
  if (!snapshot.jobs.length) return null;
  return h(
    "ol",
    { key: "jobs", class: "jobs", "aria-label": t("hands.jobs") },
    snapshot.jobs
      .slice(0, 20)
      .map((job) =>
        h(
          "li",
          { key: job.job, class: job.state },
          sign(job.state),
          h("code", {}, job.command),
          h("span", {}, t(`job.state.${job.state}`)),
          job.text && h("pre", {}, lastLines(job.text)),
        ),
      ),
  );
}

/** What a steady load says goes on for ever. */
function lastLines(text) {
  return text.split("\n").slice(-SHOWN_LINES).join("\n");
}
