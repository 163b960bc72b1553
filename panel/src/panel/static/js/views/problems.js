/** What is wrong, as sentences. */

import { duration, t, translated, wholeSeconds } from "../core/i18n.js";

export function problemText(problem, elapsed = 0) {
  const values = {
    ...problem.values,
    age: duration(problem.oldest),
    invariant: invariantName(problem.invariant ?? ""),
  };
  const said = [t(problem.text, values)];
  if (
    problem.nextTrialIn !== null &&
    problem.nextTrialIn !== undefined &&
    problem.sign === "OPEN"
  ) {
    said.push(t("problem.trial", { wait: wholeSeconds(problem.nextTrialIn - elapsed) }));
  }
  if (problem.reason) said.push(t("problem.because", { reason: problem.reason }));
  return said.join(" ");
}

/** The invariants of `make verify` are named in English; what the page knows it translates. */
export function invariantName(name) {
  return translated(`invariant.${name.toLowerCase().replace(/[^a-z]+/g, "-")}`, name);
}
