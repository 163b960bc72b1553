/** The keys of the page; who types into a field types, and nothing else. */

import { preferences } from "../core/preferences.js";

export const SHORTCUTS = [
  { key: "?", name: "help" },
  { key: "+", name: "larger" },
  { key: "-", name: "smaller" },
  { key: "d", name: "theme" },
  { key: "l", name: "language" },
  { key: "m", name: "motion" },
  { key: "1", name: "picture" },
  { key: "2", name: "orders" },
  { key: "3", name: "hands" },
  { key: "4", name: "history" },
  { key: "5", name: "invariants" },
  { key: "6", name: "lesson" },
];
// On some keyboards a plus needs no shift, or the equals sign is where it is.
const SAME = { "=": "+", _: "-" };

export function listen(act) {
  document.addEventListener("keydown", (event) => {
    if (!preferences.shortcuts || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, dialog")) return;
    const key = SAME[event.key] ?? event.key.toLowerCase();
    const shortcut = SHORTCUTS.find((candidate) => candidate.key === key);
    if (!shortcut) return;
    event.preventDefault();
    act(shortcut.name);
  });
}
