/** What a snapshot means: which fuse is on which arrow, and what is wrong with the shop. */

// The nearer to the front, the more there is to see.
const BREAKER_STATES = ["OPEN", "FORCED_OPEN", "HALF_OPEN", "DISABLED", "CLOSED"];
// Without one of these nobody can order; without the others orders are taken all the same.
const NEEDED_TO_ORDER = ["gateway", "order-service", "postgres"];
const AWAY = ["down", "stopped", "paused"];
const OLD_OUTBOX_SECONDS = 3;
const LONG_LAG = 20;

export function partNamed(snapshot, name) {
  return snapshot.parts.find((part) => part.name === name);
}

export function isAway(part) {
  return AWAY.includes(part?.state);
}

export function services(snapshot) {
  return snapshot.parts.filter((part) => part.kind === "service");
}

/** The part that a breaker's owner, an instance, belongs to. */
function ownerOf(snapshot, breaker) {
  const part =
    snapshot.parts.find((candidate) => candidate.name === breaker.owner) ??
    snapshot.parts.find((candidate) =>
      candidate.instances.some((instance) => instance.id === breaker.owner),
    );
  return part?.name ?? breaker.owner.replace(/-\d+$/, "");
}

/** One fuse for each pair of caller and called: the breakers of all instances, the worst first. */
export function fuses(snapshot) {
  const byArrow = new Map();
  for (const breaker of snapshot.breakers) {
    const from = ownerOf(snapshot, breaker);
    const id = arrowId("http", from, breaker.name);
    if (!byArrow.has(id)) byArrow.set(id, { id, from, to: breaker.name, breakers: [] });
    byArrow.get(id).breakers.push(breaker);
  }
  for (const fuse of byArrow.values()) {
    fuse.breakers.sort(bySeverity);
    fuse.worst = fuse.breakers[0];
    fuse.alike = fuse.breakers.filter((breaker) => breaker.state === fuse.worst.state).length;
  }
  return byArrow;
}

function bySeverity(left, right) {
  return (
    BREAKER_STATES.indexOf(left.state) - BREAKER_STATES.indexOf(right.state) ||
    right.failures - left.failures
  );
}

export function arrowId(kind, from, to, topic = null) {
  return [kind, from, to, topic].filter(Boolean).join(":");
}

/** `{level: "works" | "strained" | "broken", problems}`, the worst problem first. */
export function verdict(snapshot) {
  const problems = [
    ...partProblems(snapshot),
    ...breakerProblems(snapshot),
    ...invariantProblems(snapshot),
    ...messageProblems(snapshot),
  ];
  const closed = NEEDED_TO_ORDER.some((name) => isAway(partNamed(snapshot, name)));
  if (closed) return { level: "broken", problems };
  return { level: problems.length || snapshot.faults.length ? "strained" : "works", problems };
}

function partProblems(snapshot) {
  return snapshot.parts.flatMap((part) => {
    if (part.state !== "up") {
      return [
        {
          key: `part:${part.name}`,
          part: part.name,
          sign: part.state,
          text: `problem.${part.state}`,
          values: { part: part.name },
          reason: part.reason,
        },
      ];
    }
    const away = part.instances.filter((instance) => instance.state !== "up");
    if (!away.length) return [];
    const values = { part: part.name, count: away.length, all: part.instances.length };
    return [
      {
        key: `part:${part.name}`,
        part: part.name,
        sign: "degraded",
        text: "problem.instances",
        values,
        reason: away[0].reason,
      },
    ];
  });
}

function breakerProblems(snapshot) {
  return [...fuses(snapshot).values()]
    .filter((fuse) => !["CLOSED", "DISABLED"].includes(fuse.worst.state))
    .map((fuse) => ({
      key: `fuse:${fuse.id}`,
      part: fuse.from,
      sign: fuse.worst.state,
      text: `problem.${fuse.worst.state}`,
      values: { from: fuse.from, to: fuse.to },
      nextTrialIn: fuse.worst.nextTrialIn,
    }))
    .sort((left, right) => BREAKER_STATES.indexOf(left.sign) - BREAKER_STATES.indexOf(right.sign));
}

function invariantProblems(snapshot) {
  return snapshot.invariants
    .filter((invariant) => invariant.holds === false)
    .map((invariant) => ({
      key: `invariant:${invariant.name}`,
      sign: "down",
      text: "problem.invariant",
      values: {},
      invariant: invariant.name,
      reason: invariant.figures,
    }));
}

function messageProblems(snapshot) {
  return snapshot.parts.flatMap((part) => [
    ...outboxProblems(part),
    ...(part.consumers ?? [])
      .filter((consumer) => consumer.lag > LONG_LAG)
      .map((consumer) => ({
        key: `lag:${consumer.topic}:${consumer.group}`,
        part: part.name,
        sign: "degraded",
        text: "problem.lag",
        values: { group: consumer.group, topic: consumer.topic, count: consumer.lag },
      })),
    ...(part.topics ?? [])
      .filter((topic) => topic.dead > 0)
      .map((topic) => ({
        key: `dead:${topic.name}`,
        part: part.name,
        sign: "degraded",
        text: "problem.dead",
        values: { topic: topic.name, count: topic.dead },
      })),
  ]);
}

function outboxProblems(part) {
  if (!part.outbox?.rows || part.outbox.oldest < OLD_OUTBOX_SECONDS) return [];
  const values = { part: part.name, count: part.outbox.rows };
  return [
    {
      key: `outbox:${part.name}`,
      part: part.name,
      sign: "degraded",
      text: "problem.outbox",
      values,
      oldest: part.outbox.oldest,
    },
  ];
}

/** `{PENDING: 3, …}` of the orders that are shown. */
export function tally(orders) {
  const counts = { PENDING: 0, CONFIRMED: 0, REJECTED: 0, CANCELLED: 0 };
  for (const order of orders) counts[order.status] = (counts[order.status] ?? 0) + 1;
  return counts;
}
