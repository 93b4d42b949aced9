import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { BreakerSet } from "./breaker-set.ts";
import { OWN_NOTES } from "../shared/note.ts";
import {
  CircuitBreaker,
  closedBreaker,
  outcomeOfStatus,
  type BreakerChange,
  type BreakerConfig,
  type BreakerOutcome,
} from "./circuit-breaker.ts";

const CONFIG: BreakerConfig = {
  failureThreshold: 2,
  intervalMs: 10_000,
  openMs: 30_000,
  probesMax: 1,
};

function aloneBreaker(
  config: BreakerConfig,
  clock: FakeClock,
  onChange: (change: BreakerChange) => void = () => {},
): CircuitBreaker {
  const note = OWN_NOTES.note("", () => closedBreaker(config, clock));
  return new CircuitBreaker({ config, clock, note, member: 0, onChange });
}

function made(config: Partial<BreakerConfig> = {}) {
  const clock = new FakeClock();
  const breaker = aloneBreaker({ ...CONFIG, ...config }, clock);
  const pass = (outcome: BreakerOutcome): string => {
    const verdict = breaker.admit();
    if (verdict.kind === "rejected") return `rejected ${verdict.retryInMs}`;
    return breaker.report(verdict.ticket, outcome) === "opened" ? "opened" : "passed";
  };
  return { clock, breaker, pass };
}

test("failures in a row open it, and it says for how long", async () => {
  const { clock, breaker, pass } = made();
  assert.deepEqual(
    [pass("failure"), pass("failure"), pass("success")],
    ["passed", "opened", "rejected 30000"],
  );
  await clock.advance(10_000);
  assert.equal(pass("success"), "rejected 20000");
  assert.deepEqual(breaker.health("/x", "m"), {
    endpoint: "/x",
    model: "m",
    state: "open",
    retriesAt: new Date(clock.now().getTime() + 20_000),
  });
});

test("a success in between, or a client that leaves, opens nothing", () => {
  const { pass } = made();
  for (const outcome of ["failure", "success", "failure", "success"] as const)
    assert.equal(pass(outcome), "passed");
  assert.deepEqual(
    [pass("failure"), pass("neutral"), pass("neutral"), pass("failure")],
    ["passed", "passed", "passed", "opened"],
  );
});

test("failures far apart open nothing", async () => {
  const { clock, pass } = made();
  assert.equal(pass("failure"), "passed");
  await clock.advance(10_000);
  assert.equal(pass("failure"), "passed");
});

test("after a while one probe goes through, and its success closes it", async () => {
  const { clock, breaker, pass } = made();
  pass("failure");
  pass("failure");
  await clock.advance(30_000);
  const probe = breaker.admit();
  assert.equal(probe.kind, "admitted");
  assert.equal(breaker.health("/x", "m")?.state, "half_open");
  // Everybody else waits for what the probe finds.
  assert.equal(pass("success"), "rejected 0");
  if (probe.kind === "admitted") breaker.report(probe.ticket, "success");
  assert.equal(breaker.health("/x", "m"), null);
  assert.equal(pass("success"), "passed");
});

test("a probe that fails opens it for the whole time again", async () => {
  const { clock, pass } = made();
  pass("failure");
  pass("failure");
  await clock.advance(30_000);
  assert.equal(pass("failure"), "opened");
  assert.equal(pass("success"), "rejected 30000");
});

test("a probe whose client leaves makes place for another", async () => {
  const { clock, pass } = made();
  pass("failure");
  pass("failure");
  await clock.advance(30_000);
  assert.deepEqual(
    [pass("neutral"), pass("success"), pass("success")],
    ["passed", "passed", "passed"],
  );
});

test("as many successes as probes close it", async () => {
  const { clock, breaker, pass } = made({ probesMax: 3 });
  pass("failure");
  pass("failure");
  await clock.advance(30_000);
  const probes = [breaker.admit(), breaker.admit(), breaker.admit()];
  assert.deepEqual(
    probes.map(({ kind }) => kind),
    ["admitted", "admitted", "admitted"],
  );
  assert.equal(pass("success"), "rejected 0");
  for (const probe of probes)
    if (probe.kind === "admitted") breaker.report(probe.ticket, "success");
  assert.equal(breaker.health("/x", "m"), null);
});

test("an outcome from before it opened says nothing of now", async () => {
  const { clock, breaker, pass } = made();
  const slow = breaker.admit();
  pass("failure");
  pass("failure");
  await clock.advance(30_000);
  const probe = breaker.admit();
  if (slow.kind === "admitted") breaker.report(slow.ticket, "failure");
  if (probe.kind === "admitted") breaker.report(probe.ticket, "success");
  assert.equal(breaker.health("/x", "m"), null);
});

for (const [status, want] of [
  [200, "success"], [400, "success"], [401, "success"], [404, "success"], [422, "success"], [429, "failure"],
  [500, "success"], [502, "success"], [503, "failure"], [504, "failure"], [529, "failure"],
] as const) {
  test(`an answer ${status} counts as ${want}`, () => assert.equal(outcomeOfStatus(status), want));
} // prettier-ignore

test("each endpoint and model has its own", () => {
  const set = new BreakerSet({ config: CONFIG, clock: new FakeClock() });
  const breaker = set.breakerOf("/v1/messages", "sonnet");
  for (let i = 0; i < 2; i += 1) {
    const verdict = breaker.admit();
    if (verdict.kind === "admitted") breaker.report(verdict.ticket, "failure");
  }
  assert.equal(set.breakerOf("/v1/messages", "sonnet").admit().kind, "rejected");
  assert.equal(set.breakerOf("/v1/messages", "haiku").admit().kind, "admitted");
  assert.equal(set.breakerOf("/v1/other", "sonnet").admit().kind, "admitted");
  assert.deepEqual(
    set.health().map(({ endpoint, model, state }) => [endpoint, model, state]),
    [["/v1/messages", "sonnet", "open"]],
  );
});

test("models that clients make up do not fill the memory, and open ones are kept", () => {
  const set = new BreakerSet({
    config: { ...CONFIG, failureThreshold: 1 },
    clock: new FakeClock(),
  });
  const verdict = set.breakerOf("/x", "bad").admit();
  if (verdict.kind === "admitted") set.breakerOf("/x", "bad").report(verdict.ticket, "failure");
  const first = set.breakerOf("/x", "m0");
  for (let i = 1; i < 2_000; i += 1) set.breakerOf("/x", `m${i}`);
  assert.notEqual(set.breakerOf("/x", "m0"), first);
  assert.equal(set.breakerOf("/x", "bad").admit().kind, "rejected");
});

test("another server's opening is followed, no longer than one's own would last, and never shortened", async () => {
  const { clock, breaker, pass } = made();
  assert.equal(breaker.follow(5_000), true);
  assert.equal(pass("success"), "rejected 5000");
  assert.equal(breaker.follow(4_000), false);
  assert.equal(breaker.follow(1e9), false, "longer, but open it was");
  assert.equal(pass("success"), "rejected 30000");
  await clock.advance(30_000);
  assert.equal(pass("success"), "passed", "then it is tried as ever");
  assert.equal(breaker.state, "closed");
});

test("another server's closing closes it, and what was under way before says nothing", () => {
  const { breaker, pass } = made();
  const slow = breaker.admit();
  pass("failure");
  pass("failure");
  assert.equal(breaker.follow(null), true);
  assert.equal(breaker.follow(null), false, "twice is once");
  if (slow.kind === "admitted") assert.equal(breaker.report(slow.ticket, "failure"), null);
  assert.equal(pass("failure"), "passed");
  assert.equal(breaker.state, "closed");
});

test("following tells of a change of state once", () => {
  const changes: string[] = [];
  const breaker = aloneBreaker(CONFIG, new FakeClock(), ({ from, to }) =>
    changes.push(`${from} ${to}`),
  );
  breaker.follow(1_000);
  breaker.follow(2_000);
  breaker.follow(null);
  assert.deepEqual(changes, ["closed open", "open closed"]);
});

test("who closes it by a probe is told so, and nobody else", async () => {
  const { clock, breaker, pass } = made();
  pass("failure");
  pass("failure");
  await clock.advance(30_000);
  const probe = breaker.admit();
  assert.equal(probe.kind === "admitted" && breaker.report(probe.ticket, "success"), "closed");
  const next = breaker.admit();
  assert.equal(next.kind === "admitted" && breaker.report(next.ticket, "success"), null);
});
