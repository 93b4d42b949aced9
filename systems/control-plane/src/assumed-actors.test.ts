/**
 * Who sends a message is taken for whom this server let in before, and that is a condition of what is written: over
 * real HTTP, with a service in the agents' place that only runs the condition.
 */
import { fail, ok } from "@atelier/base/result";
import { systemRandom } from "@atelier/base/system-random";
import type { ServiceCallerProof } from "@atelier/contract/rpc/endpoint-service";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestControlPlane,
  type Person,
  type TestControlPlane,
} from "./control-plane-on-postgres-testkit.ts";

const BODY = { content: [{ type: "text", text: "Hello" }] };

type Service = Parameters<TestControlPlane["plane"]["chats"]["serveWith"]>[0];
/** What the test's service did about who asks. */
type Way = "looked at" | "by the condition" | "looked at again";

async function scene() {
  const api = await startTestControlPlane();
  const owner = await api.setUp();
  const chatId = systemRandom.uuid();
  await addChat(api, chatId, owner);
  const ways: { readonly who: string; readonly way: Way }[] = [];
  const holds = async ({ condition }: ServiceCallerProof) => {
    const { text, values } = condition;
    const query = { text: `select (${text(1)}) as holds`, values: [...values] };
    const { rows } = await api.database.pool.query<{ holds: boolean }>(query);
    return rows[0]?.holds === true;
  };
  const behavior: { now: (proof: ServiceCallerProof) => Promise<Way> } = {
    now: async (proof) => {
      if (await holds(proof)) {
        proof.proven();
        return "by the condition";
      }
      await proof.prove();
      return "looked at again";
    },
  };
  const service = new Proxy({} as Service["service"], {
    get: () => async (request: Parameters<Service["service"]["sendChatMessage"]>[0]) => {
      const { proof, caller, audit, body } = request;
      audit.attempted({ resourceId: chatId, target: chatId });
      const way = proof === undefined ? "looked at" : await behavior.now(proof);
      ways.push({ who: caller.username, way });
      const [part] = body.content;
      if (part?.type === "text" && part.text === "full") return fail({ code: "chat.queue_full" });
      return ok({ queued: false });
    },
  });
  const serving = api.plane.chats.serveWith({ ...NO_SOCKETS, service });
  const send = async (token = owner.token, body: unknown = BODY) => {
    const { status } = await api.call("POST", `/api/v2/chats/${chatId}/messages`, { token, body });
    return { status, ...ways.splice(0).at(-1) };
  };
  return {
    ...{ api, owner, chatId, send, holds, behavior },
    run: (text: string, values: unknown[] = []) => api.database.pool.query(text, values),
    [Symbol.asyncDispose]: async () => {
      serving[Symbol.dispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const nothing = new Proxy({} as never, { get: () => () => assert.fail("nobody asks for it") });
const NO_SOCKETS = { sockets: nothing, partLines: nothing } as Pick<
  Service,
  "sockets" | "partLines"
>;

async function addChat({ database }: TestControlPlane, id: string, owner: Person): Promise<void> {
  const model = systemRandom.uuid();
  await database.pool.query(
    `insert into chat_model_configs (id, organization_id, model, context_limit,
       compression_threshold, created_at, updated_at)
     select $1, id, 'scripted', 1000, 70, now(), now() from organizations`,
    [model],
  );
  await database.pool.query(
    `insert into chats (id, organization_id, owner_id, status, last_model_config_id, created_at, updated_at)
     select $1, id, $2, 'waiting', $3, now(), now() from organizations`,
    [id, owner.id, model],
  );
}

test("who was let in before need not be looked at first, for as long as nothing has changed", async () => {
  await using at = await scene();
  const other = await at.api.logIn("owner");
  assert.deepEqual(await at.send(), { status: 200, who: "owner", way: "looked at" });
  assert.deepEqual(await at.send(), { status: 200, who: "owner", way: "by the condition" });
  await at.run("update api_keys set last_used_at = last_used_at + interval '1 minute'");
  assert.equal((await at.send()).way, "by the condition", "uses are noted all the time");
  assert.equal((await at.send(other)).way, "looked at", "another credential");
  const forged = `${at.owner.token.slice(0, -1)}${at.owner.token.endsWith("x") ? "y" : "x"}`;
  assert.equal((await at.send(forged)).status, 401);
  assert.equal((await at.send()).way, "looked at", "after somebody else had tried");
});

/** What may happen between two messages. */
const CHANGES: readonly {
  readonly what: string;
  readonly text: string;
  readonly status: number;
}[] = [
  { what: "the session is over", text: "delete from api_keys", status: 401 },
  { what: "its secret is another", text: "update api_keys set hashed_secret = 'x'", status: 401 },
  {
    what: "it has expired",
    text: "update api_keys set expires_at = '2025-12-31T00:00:00Z'",
    status: 401,
  },
  { what: "it opens less", text: "update api_keys set scopes = '{user:read}'", status: 404 },
  { what: "its user is suspended", text: "update users set status = 'suspended'", status: 401 },
  { what: "its user is deleted", text: "update users set deleted_at = now()", status: 401 },
  { what: "its user may less", text: "update users set roles = '{auditor}'", status: 200 },
  { what: "the chat is gone", text: "delete from chats", status: 404 },
];

for (const { what, text, status } of CHANGES) {
  test(`${what}: the next message is refused or let in as if nobody had been known`, async () => {
    await using at = await scene();
    await at.send();
    assert.equal((await at.send()).way, "by the condition");
    await at.run(text);
    const expected = status === 200 ? { status, who: "owner", way: "looked at" } : { status };
    assert.deepEqual(await at.send(), expected);
    assert.deepEqual(
      await at.send(),
      status === 200 ? { ...expected, way: "by the condition" } : expected,
    );
    const { rows } = await at.run(
      "select status_code from audit_events where action = 'write' and resource_type = 'chat'",
    );
    const statuses = rows.map((row) => row.status_code).filter((code) => code !== 200);
    // Whoever is nobody leaves no row, whomever they were taken for.
    assert.deepEqual(statuses, status === 404 ? [404, 404] : []);
  });
}

test("another's chat is another's, and one that changed hands is not its first owner's any more", async () => {
  await using at = await scene();
  const ben = await at.api.addPerson("ben");
  assert.equal((await at.send(ben.token)).status, 404);
  assert.equal((await at.send(ben.token)).status, 404, "somebody known who may not");
  await at.run("update chats set owner_id = $1", [ben.id]);
  assert.deepEqual(await at.send(ben.token), { status: 200, who: "ben", way: "looked at" });
  assert.equal((await at.send(ben.token)).way, "by the condition");
  await at.run("update chats set owner_id = $1", [at.owner.id]);
  assert.equal((await at.send(ben.token)).status, 404);
});

test("nobody is taken for whom they were where letting them in changes something", async () => {
  await using at = await scene();
  await at.send();
  await at.api.clock.advance(3_700_000);
  assert.equal((await at.send()).way, "looked at", "a session that is used lives on");
  assert.equal((await at.send()).way, "looked at", "and was known as it was before");
  await at.run("update users set status = 'dormant'");
  await at.send();
  const { rows } = await at.run("select status from users");
  assert.deepEqual(rows, [{ status: "active" }], "who was asleep wakes up");
});

test("a refusal is told once who asks has been looked at, and so is an answer that nothing proves", async () => {
  await using at = await scene();
  await at.send();
  at.behavior.now = async () => "by the condition";
  const full = { content: [{ type: "text", text: "full" }] };
  assert.equal((await at.send(at.owner.token, full)).status, 429);
  assert.equal((await at.send()).status, 500, "an answer without a proof is our bug");
  const wrong = { content: [{ type: "text", text: 1 }] };
  assert.equal((await at.send(at.owner.token, wrong)).status, 400);
  await at.run("delete from api_keys");
  assert.equal((await at.send(at.owner.token, full)).status, 401);
});
