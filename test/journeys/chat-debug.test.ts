/** Recorded model calls on real servers: what is in them, what is not, who reads them, and that no turn waits. */
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { calls, says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import type { ChatDebugStep } from "@atelier/contract/http/chat-debug";
import assert from "node:assert/strict";
import { test } from "node:test";
import { startActingModel, type Act } from "./acting-model.ts";
import { recordedRuns, recordedTurn } from "./chat-debug-world.ts";
import { setUpChats, watchChat, type ChatPerson } from "./chat-world.ts";

const KEY = "sk-scripted";
const ROOT = "/api/v2/chats/config";
const FORCED = ["--chat-debug-logging-enabled=true"];

/** For a server that comes after another. */
const ENV = { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: Buffer.alloc(32, 7).toString("base64") };

/** A provider that is too busy at first, and repeats the key that it was given. */
const BUSY_TURN: Act = {
  to: "Which workspaces",
  steps: [
    calls("list_workspaces", {}, "call_1"),
    { kind: "problem", status: 529, message: `overloaded for ${KEY}` },
    says("There are none."),
  ],
};

async function must(
  server: RealServer,
  person: ChatPerson,
  ...[method, path, body]: [method: string, path: string, body?: unknown]
): Promise<ReturnType<RealServer["api"]>> {
  const answer = await person.call(server, method, path, body);
  assert(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

async function settled(server: RealServer, person: ChatPerson, chatId: string): Promise<void> {
  using view = await watchChat(server, person, chatId);
  await view.screen.until(() => ["waiting", "error"].includes(view.screen.status));
}

function has(step: ChatDebugStep, of: "request" | "response", text: string): boolean {
  return JSON.stringify(step[`normalized_${of}`]).includes(text);
}

/** Everything that the tables hold, as text. */
async function allText(database: TestDatabase): Promise<string> {
  const { rows } = await database.pool.query<{ text: string }>(
    `select r::text as text from chat_debug_runs r
     union all select s::text from chat_debug_steps s`,
  );
  return rows.map(({ text }) => text).join("\n");
}

async function otherPerson(server: RealServer, owner: ChatPerson, name: string) {
  const password = "correct horse battery";
  await must(server, owner, "POST", "/api/v2/users", {
    ...{ username: name, email: `${name}@example.com`, password },
  });
  const signedIn = await server.api("POST", "/api/v2/users/login", {
    body: { email: `${name}@example.com`, password },
  });
  assert.equal(signedIn.status, 201, JSON.stringify(signedIn.body));
  return signedIn.body.session_token as string;
}

for (const way of ["through the gateway", "directly"] as const) {
  test(`a turn is recorded step by step, ${way}, with both tries of a step, and without keys`, async () => {
    await using database = await testDatabase();
    const routing = [`--chat-ai-gateway-routing-enabled=${way !== "directly"}`];
    await using server = await startRealServer({
      ...{ postgresUrl: database.url, args: [...FORCED, ...routing] },
    });
    await using model = await startActingModel();
    model.acts.push(BUSY_TURN);
    await using world = await setUpChats(server, { model });
    const { person } = world;
    const chat = await person.create(server, `Which workspaces are there? ${KEY}-of-mine`);
    await settled(server, person, chat.id);
    const run = await recordedTurn(server, person, chat.id);
    assert.deepEqual(
      [run.status, run.provider, run.model, run.summary.step_count, run.summary.attempt_count],
      ["completed", "anthropic", "claude-scripted", 2, 3],
    );
    assert.match(run.summary.title, /^Which workspaces are there\?/);
    assert(run.summary.input_tokens > 0 && run.summary.output_tokens > 0);
    const [first, second] = run.steps;
    assert(first !== undefined && second !== undefined);
    assert.deepEqual([first.step_number, first.status, first.attempts.length], [1, "completed", 1]);
    for (const asked of ["Which workspaces", "list_workspaces"])
      assert(has(first, "request", asked));
    assert(has(first, "response", "tool-call") && has(first, "response", "call_1"));
    assert(has(second, "request", "call_1") && has(second, "response", "There are none."));
    assert.deepEqual(
      second.attempts.map(({ status }) => status),
      [529, 200],
    );
    for (const attempt of [...first.attempts, ...second.attempts]) {
      assert.equal(attempt.request_headers["x-api-key"], "[redacted]");
      assert.match(attempt.request_headers["user-agent"] ?? "", /^atelier-agents/);
      assert(attempt.request_body?.includes("claude-scripted"));
      assert.match(attempt.url, /\/v1\/messages$/);
    }
    assert(second.attempts[1]?.response_body?.includes("message_stop"));
    const { body } = await must(server, person, "GET", `/api/v2/chats/${chat.id}/messages`);
    const answers = body.messages.filter(({ role }: { role: string }) => role === "assistant");
    assert.deepEqual(
      new Set(run.steps.map((step) => step.assistant_message_id)),
      new Set(answers.map(({ id }: { id: number }) => id)),
    );
    const whole = `/api/v2/chats/${chat.id}/debug/runs/${run.id}`;
    const outline = await must(server, person, "GET", `${whole}?detail=outline`);
    assert.equal(outline.body.steps[0].normalized_request, null);
    assert.deepEqual((await must(server, person, "GET", `${whole}/steps/${first.id}`)).body, first);
    const kinds = new Set(
      (await recordedRuns(server, person, chat.id, (runs) => runs.length >= 3)).map(
        ({ kind }) => kind,
      ),
    );
    assert.deepEqual([...kinds].toSorted(), ["chat_turn", "quickgen", "title_generation"]);
    const text = await allText(database);
    assert(text.includes("Which workspaces"), "what was asked is there");
    assert(!text.includes(KEY), text.slice(Math.max(0, text.indexOf(KEY) - 200)).slice(0, 400));
  });
}

test("a table that nobody can write to holds up no turn, and loses only records", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url, args: FORCED });
  await using model = await startActingModel();
  model.acts.push({ to: "While it is locked", steps: [says("It does not matter.")] });
  await using world = await setUpChats(server, { model });
  const { person } = world;
  const turn = async (text: string) => {
    const startedMs = performance.now();
    const { id } = await person.create(server, text);
    await settled(server, person, id);
    return { id, tookMs: performance.now() - startedMs };
  };
  const usual = await turn("Before it is locked");
  const lock = await database.pool.connect();
  try {
    await lock.query("set idle_in_transaction_session_timeout = 0");
    await lock.query("begin; lock table chat_debug_runs in access exclusive mode");
    const chat = await turn("While it is locked");
    // Whoever waited for one write would wait for its whole budget, which is 5 seconds.
    assert(chat.tookMs < usual.tookMs + 4_000, `${chat.tookMs} ms, usually ${usual.tookMs} ms`);
    const { body } = await must(server, person, "GET", `/api/v2/chats/${chat.id}/messages`);
    assert.match(JSON.stringify(body), /It does not matter\./);
  } finally {
    await lock.query("rollback");
    lock.release();
  }
  model.acts.push({ to: "And now", steps: [says("It is written.")] });
  const later = await turn("And now");
  assert.equal((await recordedTurn(server, person, later.id)).status, "completed");
});

test("a deployment forces it, else administrators allow it, and people choose it for their own chats", async () => {
  await using database = await testDatabase();
  await using model = await startActingModel();
  const turnOf = async (server: RealServer, person: ChatPerson): Promise<boolean> => {
    const chat = await person.create(server, "Say something");
    await settled(server, person, chat.id);
    const { body } = await must(server, person, "GET", `/api/v2/chats/${chat.id}/debug/runs`);
    if (body.is_recorded) await recordedTurn(server, person, chat.id);
    else assert.deepEqual(body.runs, []);
    return body.is_recorded;
  };
  await using server = await startRealServer({ postgresUrl: database.url, env: ENV });
  const world = await setUpChats(server, { model });
  const { person } = world;
  const choose = (enabled: boolean) =>
    person.call(server, "PUT", `${ROOT}/user-debug-logging`, { enabled });
  const refused = await choose(true);
  assert.deepEqual([refused.status, refused.body.code], [403, "chat_debug.not_allowed"]);
  assert.equal(await turnOf(server, person), false);
  await must(server, person, "PUT", `${ROOT}/debug-logging`, { allow_users: true });
  assert.equal(await turnOf(server, person), false, "allowed, but not chosen");
  assert.equal((await choose(true)).status, 200);
  assert.equal(await turnOf(server, person), true);
  const mine = await must(server, person, "GET", `${ROOT}/user-debug-logging`);
  assert.deepEqual(mine.body, { enabled: true, allowed: true, forced_by_deployment: false });
  await must(server, person, "PUT", `${ROOT}/debug-logging`, { allow_users: false });
  assert.equal(await turnOf(server, person), false, "what was chosen does not count any more");
  assert.equal(await server.stop(), 0);
  await using forced = await startRealServer({
    ...{ postgresUrl: database.url, args: FORCED, env: ENV },
  });
  const conflict = await person.call(forced, "PUT", `${ROOT}/user-debug-logging`, {
    enabled: false,
  });
  assert.deepEqual([conflict.status, conflict.body.code], [409, "chat_debug.forced"]);
  assert.equal(await turnOf(forced, person), true);
  const ours = await must(forced, person, "GET", `${ROOT}/debug-logging`);
  assert.deepEqual(ours.body, { allow_users: false, forced_by_deployment: true });
});

test("recorded calls are read by whoever reads the chat: its person and administrators, nobody else", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url, args: FORCED });
  const admin = await setUpFirstUser(server);
  await using world = await setUpChats(server, { token: admin.session });
  const { person: owner } = world;
  const as = (token: string): ChatPerson => ({
    ...owner,
    token,
    call: (target, method, path, body) =>
      target.api(method, path, { token, ...(body === undefined ? {} : { body }) }),
  });
  const carla = as(await otherPerson(server, owner, "carla"));
  const dora = as(await otherPerson(server, owner, "dora"));
  const made = await must(server, carla, "POST", "/api/v2/chats", {
    content: [{ type: "text", text: "Mine" }],
  });
  const chatId = made.body.id as string;
  await settled(server, carla, chatId);
  const run = await recordedTurn(server, carla, chatId);
  const [step] = run.steps;
  const runs = `/api/v2/chats/${chatId}/debug/runs`;
  const paths = [runs, `${runs}/${run.id}`, `${runs}/${run.id}/steps/${step?.id}`];
  for (const path of paths) {
    const statuses = await Promise.all(
      [carla, owner, dora].map(async (each) => (await each.call(server, "GET", path)).status),
    );
    assert.deepEqual(statuses, [200, 200, 404], path);
  }
  // By way of a chat that one may read, nothing of another comes out.
  const own = await must(server, dora, "POST", "/api/v2/chats", {
    content: [{ type: "text", text: "Of Dora" }],
  });
  await settled(server, dora, own.body.id);
  const stolen = `/api/v2/chats/${own.body.id}/debug/runs/${run.id}`;
  assert.equal((await dora.call(server, "GET", stolen)).status, 404);
  assert.equal((await dora.call(server, "GET", `${stolen}/steps/${step?.id}`)).status, 404);
});

test("a turn that a dead server left goes on as the same run, and one that is stopped is broken off", async () => {
  await using database = await testDatabase();
  const started = () => startRealServer({ postgresUrl: database.url, args: FORCED, env: ENV });
  await using one = await started();
  await using model = await startActingModel();
  model.acts.push(
    { to: "Outlive it", steps: [{ kind: "hang" }, says("I am still here.")] },
    { to: "Stop there", steps: [{ kind: "hang" }] },
  );
  await using world = await setUpChats(one, { model });
  const { person } = world;
  const stopped = await person.create(one, "Stop there");
  await recordedRuns(one, person, stopped.id, (runs) =>
    runs.some(({ kind, status }) => kind === "chat_turn" && status === "in_progress"),
  );
  await must(one, person, "POST", `/api/v2/chats/${stopped.id}/interrupt`);
  await settled(one, person, stopped.id);
  const brokenOff = await recordedTurn(one, person, stopped.id);
  assert.deepEqual(
    [brokenOff.status, brokenOff.steps.map(({ status }) => status)],
    ["interrupted", ["interrupted"]],
  );

  const chat = await person.create(one, "Outlive it");
  await recordedRuns(one, person, chat.id, (runs) => runs.some(({ kind }) => kind === "chat_turn"));
  await using left = await started();
  one.child.kill("SIGKILL");
  await settled(left, person, chat.id);
  const run = await recordedTurn(left, person, chat.id);
  assert.equal(run.status, "completed");
  assert.deepEqual(
    run.steps.map(({ status }) => status),
    ["completed"],
  );
  assert(run.steps.every((step) => has(step, "response", "I am still here.")));

  await must(left, person, "POST", `/api/v2/chats/${chat.id}/compact`);
  const runs = await recordedRuns(left, person, chat.id, (all) =>
    all.some(({ kind, status }) => kind === "compaction" && status === "completed"),
  );
  assert.equal(runs.filter(({ kind }) => kind === "chat_turn").length, 1);
});
