/** The page's one dialog: modal, closed by Escape, and the focus goes back where it was. */

import { patch } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { dialogOf } from "./dialogs.js";

export class DialogBox {
  opened = null;
  #changed;
  #context;
  #node = document.getElementById("dialog");

  constructor(changed, context) {
    this.#changed = changed;
    this.#context = context;
    this.#node.onclose = () => (this.opened = null);
    // A press beside the dialog is one on its backdrop.
    this.#node.onclick = (event) => {
      if (event.target === this.#node) this.close();
    };
    document.getElementById("dialog-close").onclick = () => this.close();
  }

  open(wanted) {
    this.opened = wanted;
    if (wanted.kind === "order") this.#follow(wanted);
    patch(document.getElementById("dialog-body"), []);
    this.draw();
    if (!this.#node.open) this.#node.showModal();
    this.#changed();
  }

  update(values) {
    Object.assign(this.opened ?? {}, values);
    this.#changed();
  }

  close() {
    this.#node.close();
  }

  draw() {
    if (!this.opened) return;
    const { snapshot } = this.#context();
    if (!snapshot && !["help", "signIn"].includes(this.opened.kind)) return;
    const { title, body } = dialogOf(this.opened, this.#context());
    document.getElementById("dialog-title").textContent = title;
    patch(document.getElementById("dialog-body"), body);
    this.#followWhileItMoves(snapshot);
  }

  /** An order whose dialog is open is asked for again when its status has changed. */
  #followWhileItMoves(snapshot) {
    const { kind, id, life } = this.opened;
    if (kind !== "order" || !life?.status) return;
    const order = snapshot.orders.find((candidate) => candidate.orderId === id);
    if (order && order.status !== life.status && !this.opened.asking) this.#follow(this.opened);
  }

  async #follow(opened) {
    opened.asking = true;
    const life = await lifeOf(opened.id);
    opened.asking = false;
    if (this.opened === opened) this.update({ life });
  }
}

async function lifeOf(orderId) {
  try {
    const answer = await fetch(`/api/orders/${encodeURIComponent(orderId)}`);
    if (!answer.ok) return { steps: [], problem: t("order.unknown") };
    return await answer.json();
  } catch {
    return { steps: [], problem: t("hands.unreachable") };
  }
}
