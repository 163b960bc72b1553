/** Wires the page: the snapshots that come, the views that show them, the reader's wishes. */

import { patch } from "./core/dom.js";
import { Feed } from "./core/feed.js";
import { LANGUAGES, preferred, speak, spoken, t } from "./core/i18n.js";
import { THEMES, apply, prefer, preferences, rem } from "./core/preferences.js";
import { refreshSession, session, signIn, signOut } from "./core/session.js";
import { picture } from "./picture/picture.js";
import { announce, announceChanges } from "./views/announcements.js";
import { DialogBox } from "./views/dialog_box.js";
import { Hands } from "./views/hands.js";
import { history, invariants } from "./views/happenings.js";
import { lesson } from "./views/lesson.js";
import { orders } from "./views/orders.js";
import { listen } from "./views/shortcuts.js";
import { tables } from "./views/table.js";
import { brokenOnPurpose, silence, verdictBanner } from "./views/verdict.js";

const TICK_MS = 1000;
const page = { snapshot: null, arrived: 0, connected: null, lostAt: 0, scheduled: false };
const place = (id) => document.getElementById(id);
const dialog = new DialogBox(render, () => ({
  snapshot: page.snapshot,
  elapsed: elapsed(),
  hands,
  toggleShortcuts,
}));
const hands = new Hands({
  changed: render,
  // What comes of it is seen in the picture, which a dialog would hide.
  begun: () => dialog.close(),
  askPassword: (then) => dialog.open({ kind: "signIn", then, submit: submitPassword }),
});

/** Once for all that changes before the next frame; a page that nobody sees draws nothing. */
function render() {
  if (page.scheduled) return;
  page.scheduled = true;
  requestAnimationFrame(() => {
    page.scheduled = false;
    draw();
  });
}

function elapsed() {
  return (performance.now() - page.arrived) / 1000;
}

function draw() {
  document.body.dataset.connection = page.connected === false ? "lost" : "live";
  drawControls();
  const { snapshot } = page;
  if (!snapshot || page.connected === false)
    patch(place("verdict"), silence(page.connected, (performance.now() - page.lostAt) / 1000));
  if (!snapshot) return;
  if (page.connected !== false)
    patch(place("verdict"), [verdictBanner(snapshot, elapsed()), brokenOnPurpose(snapshot, hands)]);
  const open = (wanted) => dialog.open(wanted);
  patch(
    place("picture-frame"),
    picture(snapshot, {
      pixels: place("picture-frame").clientWidth,
      rem: rem(),
      elapsed: elapsed(),
      open,
    }),
  );
  patch(place("orders-list"), orders(snapshot, Date.parse(snapshot.at) + elapsed() * 1000, open));
  patch(place("lesson-body"), lesson(snapshot, hands, hands.form));
  patch(place("hands-body"), hands.panel(snapshot));
  patch(place("history-list"), history(snapshot));
  patch(place("invariants-list"), invariants(snapshot));
  if (place("table").open) patch(place("tables"), tables(snapshot, elapsed()));
  document.body.dataset.lesson = snapshot.lesson?.running ? "running" : "none";
  dialog.draw();
}

function drawControls() {
  place("language").value = spoken();
  place("theme").textContent = t(`theme.${preferences.theme}`);
  place("motion").setAttribute("aria-pressed", String(preferences.motion));
  place("sign").textContent = t(session.signedIn ? "session.signOut" : "session.signIn");
  place("sign").hidden = !session.hands;
}

const actions = {
  help: () => dialog.open({ kind: "help" }),
  larger: () => resize(1),
  smaller: () => resize(-1),
  theme: () => {
    prefer({ theme: THEMES[(THEMES.indexOf(preferences.theme) + 1) % THEMES.length] });
    announce(t(`theme.${preferences.theme}`));
    render();
  },
  language: () => chooseLanguage(LANGUAGES[(LANGUAGES.indexOf(spoken()) + 1) % LANGUAGES.length]),
  motion: () => {
    prefer({ motion: !preferences.motion });
    render();
  },
  sign: async () => {
    if (session.signedIn) await signOut();
    else dialog.open({ kind: "signIn", submit: submitPassword });
    render();
  },
};
for (const id of ["picture", "orders", "hands", "history", "invariants", "lesson"]) {
  actions[id] = () => {
    place(id).focus();
    place(id).scrollIntoView({ block: "nearest" });
  };
}

function resize(step) {
  prefer({ size: preferences.size + step });
  render();
}

async function chooseLanguage(language) {
  prefer({ language });
  await speak(language);
  document.title = t("page.title");
  render();
}

function toggleShortcuts(event) {
  prefer({ shortcuts: event.target.checked });
}

async function submitPassword(event) {
  event.preventDefault();
  const { then } = dialog.opened;
  const problem = await signIn(event.target.elements.password.value);
  if (problem) return dialog.update({ problem });
  dialog.close();
  announce(t("session.done"), true);
  then?.();
  return render();
}

function connectionChanged(connected) {
  const before = page.connected;
  page.connected = connected;
  page.lostAt = performance.now();
  if (!connected) announce(t("verdict.lost"));
  else if (before === false) announce(t("verdict.back"));
  if (connected) refreshSession().then(render);
  render();
}

function snapshotCame(snapshot) {
  announceChanges(page.snapshot, snapshot);
  page.snapshot = snapshot;
  page.arrived = performance.now();
  render();
}

async function begin() {
  apply();
  await speak(preferred(preferences.language));
  document.title = t("page.title");
  for (const button of document.querySelectorAll("[data-action]"))
    button.onclick = actions[button.dataset.action];
  place("language").onchange = (event) => chooseLanguage(event.target.value);
  place("table").ontoggle = render;
  listen((name) => actions[name]());
  new ResizeObserver(render).observe(place("picture-frame"));
  new Feed({ onSnapshot: snapshotCame, onConnection: connectionChanged }).start();
  setInterval(render, TICK_MS);
  render();
  if (location.pathname === "/login") actions.sign();
}

begin();
