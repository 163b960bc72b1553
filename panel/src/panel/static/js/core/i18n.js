/** The page's words and figures in the reader's language. */

export const LANGUAGES = ["en", "ko"];
// Instead of a figure that is not known.
const NOTHING = "–";

let language = "en";
let words = {};
let formats = formatsOf("en");

/** The reader's: as chosen here before, else the browser's first that there is. */
export function preferred(chosen) {
  const wishes = [chosen, ...navigator.languages].filter(Boolean);
  const found = wishes.map((wish) => wish.split("-")[0]).find((wish) => LANGUAGES.includes(wish));
  return found ?? "en";
}

export async function speak(wanted) {
  const answer = await fetch(`/static/i18n/${wanted}.json`);
  words = await answer.json();
  language = wanted;
  formats = formatsOf(wanted);
  document.documentElement.lang = wanted;
  for (const node of document.querySelectorAll("[data-i18n]")) {
    node.textContent = t(node.dataset.i18n);
  }
  for (const node of document.querySelectorAll("[data-i18n-label]")) {
    node.setAttribute("aria-label", t(node.dataset.i18nLabel));
  }
}

export function spoken() {
  return language;
}

/** The sentence of `key` with `{name}` filled in; `count` decides between one and many. */
export function t(key, values = {}) {
  const entry = words[key] ?? key;
  const sentence =
    typeof entry === "string" ? entry : (entry[formats.plural.select(values.count)] ?? entry.other);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? formats.number.format(value) : (value ?? "");
  });
}

/** The same where the key may be unknown, as what the shop says in its own words. */
export function translated(key, otherwise) {
  return key in words ? t(key) : otherwise;
}

export function number(value) {
  return value === null || value === undefined ? NOTHING : formats.number.format(value);
}

export function rate(value) {
  return value === null || value === undefined
    ? NOTHING
    : t("unit.rate", { rate: formats.rate.format(value) });
}

export function share(value) {
  return value === null || value === undefined ? NOTHING : formats.share.format(value);
}

/** Seconds as a person reads them: 34 ms, 1.2 s, 3 min. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds < 1) return unit("milliseconds", Math.round(seconds * 1000));
  if (seconds < 10) return unit("seconds", Math.round(seconds * 10) / 10);
  if (seconds < 120) return unit("seconds", Math.round(seconds));
  return seconds < 7200
    ? unit("minutes", Math.round(seconds / 60))
    : unit("hours", Math.round(seconds / 3600));
}

function unit(name, value) {
  return t(`unit.${name}`, { value });
}

export function wholeSeconds(seconds) {
  return unit("seconds", Math.max(0, Math.ceil(seconds)));
}

export function clock(at) {
  return at ? formats.clock.format(new Date(at)) : NOTHING;
}

export function preciseClock(at) {
  return at ? formats.preciseClock.format(new Date(at)) : NOTHING;
}

function formatsOf(locale) {
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  return {
    plural: new Intl.PluralRules(locale),
    number: new Intl.NumberFormat(locale),
    rate: new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }),
    share: new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }),
    clock: new Intl.DateTimeFormat(locale, time),
    preciseClock: new Intl.DateTimeFormat(locale, { ...time, fractionalSecondDigits: 3 }),
  };
}
