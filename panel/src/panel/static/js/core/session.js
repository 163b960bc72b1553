/** The admin's session of the panel, and the hands that need it. */

import { t } from "./i18n.js";

export const session = { hands: false, signedIn: false, csrf: null };

export async function refreshSession() {
  const answer = await fetch("/api/session");
  if (answer.ok) Object.assign(session, await answer.json());
}

/** Null when it went well, else what to tell. */
export async function signIn(password) {
  return settle(await send("POST", "/api/session", { password }));
}

export async function signOut() {
  await send("DELETE", "/api/session");
  await refreshSession();
}

/** `{status, problem}`: 401 is for the caller to ask for the password. */
export async function use(verb, body) {
  const answer = await send("POST", `/api/hands/${verb}`, body);
  if (answer === null) return { status: 0, problem: t("hands.unreachable") };
  const problem = answer.ok ? null : await problemOf(answer);
  // Perhaps the hands have been switched off, or the session is over.
  if (problem) await refreshSession();
  return { status: answer.status, problem };
}

async function settle(answer) {
  if (answer === null) return t("hands.unreachable");
  if (!answer.ok) return problemOf(answer);
  await refreshSession();
  return null;
}

async function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  if (session.csrf) headers["X-CSRF-Token"] = session.csrf;
  try {
    return await fetch(path, { method, headers, body: JSON.stringify(body ?? {}) });
  } catch {
    // No answer at all: fetch has no other way to say so.
    return null;
  }
}

async function problemOf(answer) {
  if (answer.status === 401) return t("session.wrong");
  try {
    const problem = await answer.json();
    return (
      (problem.errors ?? []).map((error) => `${error.field}: ${error.message}`).join(" ") ||
      problem.detail ||
      problem.title
    );
  } catch {
    return t("hands.failed", { status: answer.status });
  }
}
