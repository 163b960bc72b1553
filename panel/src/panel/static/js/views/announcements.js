/** Tells a screen reader what matters, and only that; some of it is shown to everybody for a while. */

import { t, wholeSeconds } from "../core/i18n.js";
import { fuses, verdict } from "../model.js";
import { problemText } from "./problems.js";

const TOLD_AT_ONCE_MS = 700;
const SHOWN_MS = 4000;
let waiting = [];
let timer = null;
let hiding = null;

/** Spoken; `shown` also on the screen. */
export function announce(text, shown = false) {
  waiting.push(text);
  timer ??= setTimeout(tell, TOLD_AT_ONCE_MS);
  if (shown) show(text);
}

function tell() {
  document.getElementById("live").textContent = waiting.slice(-4).join(" ");
  waiting = [];
  timer = null;
}

function show(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (toast.hidden = true), SHOWN_MS);
}

/** Parts that went or came, fuses that blew or were mended, jobs that ended. */
export function announceChanges(before, now) {
  if (!before) return;
  announceProblems(before, now);
  announceFuses(before, now);
  for (const job of now.jobs) {
    const was = before.jobs.find((earlier) => earlier.job === job.job);
    if (job.state !== "running" && was?.state !== job.state)
      announce(t(`job.${job.state}`, { command: job.command, text: job.text ?? "" }), true);
  }
}

function announceProblems(before, now) {
  const earlier = new Set(verdict(before).problems.map((problem) => problem.key));
  const { problems } = verdict(now);
  for (const problem of problems) {
    if (!earlier.has(problem.key) && !problem.key.startsWith("fuse:"))
      announce(problemText({ ...problem, reason: null }));
  }
  if (earlier.size && !problems.length) announce(t("verdict.works"));
}

function announceFuses(before, now) {
  const earlier = fuses(before);
  for (const [id, fuse] of fuses(now)) {
    const was = earlier.get(id)?.worst.state ?? "CLOSED";
    if (was === fuse.worst.state) continue;
    const wait = fuse.worst.nextTrialIn
      ? t("problem.trial", { wait: wholeSeconds(fuse.worst.nextTrialIn) })
      : "";
    announce(
      `${t("fuse.name", { from: fuse.from, to: fuse.to })}: ${t(`fuse.${fuse.worst.state}`)}. ${wait}`,
    );
  }
}
