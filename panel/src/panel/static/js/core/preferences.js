/** How the reader wants the page: language, light or dark, size of the text, motion. Remembered. */

const STORED = "fusebox.panel";
const DEFAULTS = { language: null, theme: "system", size: 0, motion: true, shortcuts: true };
export const THEMES = ["system", "light", "dark"];
// Steps of one font size: two down for a crowded screen, six up for the last row of a hall.
const SMALLEST = -2;
const LARGEST = 6;
const STEP_PERCENT = 12.5;

export const preferences = { ...DEFAULTS, ...stored() };

export function prefer(changes) {
  Object.assign(preferences, changes);
  preferences.size = Math.min(LARGEST, Math.max(SMALLEST, preferences.size));
  try {
    localStorage.setItem(STORED, JSON.stringify(preferences));
  } catch {
    // A browser that stores nothing forgets it with the page.
  }
  apply();
}

export function apply() {
  const root = document.documentElement;
  root.dataset.theme = preferences.theme;
  root.dataset.motion = preferences.motion ? "on" : "off";
  // Of the size that the browser is set to, which is the reader's own choice.
  root.style.setProperty("font-size", `${100 + STEP_PERCENT * preferences.size}%`);
}

/** One `rem` in pixels. */
export function rem() {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}
