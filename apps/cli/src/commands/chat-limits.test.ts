/** What agents may cost, in the terminal: what is sent, what is shown, and what is refused at once. */
import assert from "node:assert/strict";
import test from "node:test";
import { cli, ID, SIGNED_IN, type Parsed } from "../cli-scene.test.ts";

const OTHER = "99999999-9999-4999-8999-999999999999";
const ROOT = "/api/v2/chats/usage-limits";
const LIMITS = { enabled: true, default_limit_micros: 50_000_000, period: "month" };
const ann = { id: ID, username: "ann", name: "Ann" };
const bob = { id: OTHER, username: "bob", name: "Bob" };
const cost = { total_cost_micros: 1_250_000, request_count: 3, unpriced_request_count: 1 };
const days = { start_date: "2026-01-01", end_date: "2026-01-31" };
const API = {
  variables: SIGNED_IN,
  [`GET ${ROOT}`]: () => ({ ...LIMITS, costs_recorded: true }),
  [`PUT ${ROOT}`]: ({ body }: Parsed) => ({ ...(body as object), costs_recorded: true }),
  [`GET ${ROOT}/overrides`]: () => ({
    overrides: [
      { user: bob, spend_limit_micros: 1_000_000 },
      { user: ann, spend_limit_micros: 200_000_000 },
    ],
    count: 2,
  }),
  [`PUT ${ROOT}/overrides/:user`]: ({ body }: Parsed) => ({ user: ann, ...(body as object) }),
  [`DELETE ${ROOT}/overrides/:user`]: () => null,
  [`GET ${ROOT}/status`]: () => ({
    ...{ is_limited: true, period: "month", spent_micros: 51_000_000, limit_micros: 50_000_000 },
    ...{ from: "2026-01-01T00:00:00.000Z", resets_at: "2026-02-01T00:00:00.000Z" },
    unpriced_request_count: 2,
  }),
  "GET /api/v2/chats/cost/users": () => ({ ...days, users: [{ user: ann, ...cost }], count: 2 }),
  "GET /api/v2/chats/cost/:user/summary": () => ({
    ...{ ...days, ...cost },
    by_model: [{ model: "claude-x", provider: "ours", ...cost }],
    by_chat: [{ chat_id: ID, title: "Fix \u001b[2Jthe tests", ...cost }],
  }),
} as const;

type Run = Awaited<ReturnType<typeof cli>>;
const lastOf = ({ requests }: Run): readonly unknown[] => {
  const { method, path, body } = requests.at(-1) ?? {};
  return [method, path, JSON.parse(body ?? "null")];
};

test("limits are shown with those who have their own, by name", async () => {
  const run = await cli(["chat-limits", "show"], API);
  assert.match(run.out, /^Everybody: \$50\.00 a month\.\n/);
  assert.match(run.out, /ann +\$200\.00\nbob +\$1\.00/);
  const off = {
    ...API,
    [`GET ${ROOT}`]: () => ({ ...LIMITS, enabled: false, costs_recorded: true }),
  };
  assert.match((await cli(["chat-limits", "show"], off)).out, /^Nobody is limited\./);
  const blind = { ...API, [`GET ${ROOT}`]: () => ({ ...LIMITS, costs_recorded: false }) };
  assert.match((await cli(["chat-limits", "show"], blind)).out, /No limit holds/);
});

test("what is not given stays as it is", async () => {
  const set = async (...words: string[]) =>
    lastOf(await cli(["chat-limits", "set", ...words], API));
  assert.deepEqual(await set("2.5"), ["PUT", ROOT, { ...LIMITS, default_limit_micros: 2_500_000 }]);
  assert.deepEqual(await set("--period", "day"), ["PUT", ROOT, { ...LIMITS, period: "day" }]);
  assert.deepEqual(await set("--off"), ["PUT", ROOT, { ...LIMITS, enabled: false }]);
});

test("what is no amount is not sent", async () => {
  for (const words of [
    ["set", "much"],
    ["set", "5", "--off"],
    ["users", "set", "ann", "0"],
    ["users", "set", "ann", "x"],
  ]) {
    const run = await cli(["chat-limits", ...words], API);
    assert.deepEqual([run.exitCode, run.requests.length], [2, 0], run.err);
  }
  const fresh = {
    ...API,
    [`GET ${ROOT}`]: () => ({
      ...{ enabled: false, default_limit_micros: 0, period: "month", costs_recorded: true },
    }),
  };
  const run = await cli(["chat-limits", "set", "--period", "day"], fresh);
  assert.equal(run.exitCode, 2, "nobody is cut off by mistake");
});

test("people get a limit of their own, and lose it", async () => {
  const set = await cli(["chat-limits", "users", "set", "ann", "200"], API);
  const at = `${ROOT}/overrides/ann`;
  assert.deepEqual(lastOf(set), ["PUT", at, { spend_limit_micros: 200_000_000 }]);
  assert.match(set.out, /ann may spend \$200\.00\./);
  const removed = await cli(["chat-limits", "users", "remove", "ann"], API);
  assert.deepEqual(lastOf(removed), ["DELETE", at, null]);
});

test("one's own standing says what is spent, of what, and until when", async () => {
  const { out } = await cli(["chat-limits", "status"], API);
  for (const line of [
    /Spent +\$51\.00/,
    /Limit +\$50\.00 a month/,
    /Resets +2026-02-01 00:00 UTC/,
  ]) {
    assert.match(out, line);
  }
  assert.match(out, /price +2 requests/);
});

test("costs are by person, or of one by model and chat, and safe to print", async () => {
  const all = await cli(["chat-limits", "costs", "--from", "2026-01-01"], API);
  assert.match(all.requests.at(-1)?.path ?? "", /users\?start_date=2026-01-01&limit=50$/);
  assert.match(all.out, /ann +3 +\$1\.25 +1/);
  assert.match(all.err, /Showing 1 of 2/);
  const one = await cli(["chat-limits", "costs", "ann"], API);
  assert.match(one.out, /claude-x +ours +3 +\$1\.25 +1/);
  assert.match(one.out, new RegExp(`${ID} +Fix .*the tests`));
  assert.ok(!one.out.includes("\u001b[2J"));
});

test("what was typed for an agent and is refused is shown again", async () => {
  const scene = { ...API, "POST /api/v2/chats": () => "chat.usage_limit_reached" as const };
  const typed = await cli(["chat", "new"], { ...scene, answers: ["Fix the tests"] });
  assert.deepEqual([typed.exitCode, typed.out], [5, ""], typed.err);
  assert.match(typed.err, /Not sent\. What you wrote: Fix the tests\n/);
  assert.match(typed.err, /You have spent what you may spend on agents\./);
  const given = await cli(["chat", "new", "Fix the tests"], { ...scene, answers: [] });
  assert.ok(!given.err.includes("What you wrote"), "the shell has it");
});
