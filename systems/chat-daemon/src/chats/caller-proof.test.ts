/** Who sends a message is taken for whom they were: nothing is written or told that is not proven. */
import type { ServiceCallerProof } from "@atelier/contract/rpc/endpoint-service";
import assert from "node:assert/strict";
import { test } from "node:test";
import { must } from "../state/chat-world-testkit.ts";
import { chatClient, codeOf, created } from "./chat-client-testkit.ts";
import { chatsWorld } from "./chats-testkit.ts";

const UNLIMITED = { name: "test", text: () => "true", values: [] };

async function scene() {
  const chats = await chatsWorld();
  const call = chatClient({ ...chats, deps: { ...chats.deps, unlimited: () => UNLIMITED } });
  const params = { chat: (await created(call)).id };
  const { machine, database } = chats.world;
  const ends = async () => must(await machine.change(params.chat, (chat) => chat.finishTurn()));
  await ends();
  /** `is`: who asks is who they were. */
  const prove = (is: boolean) => {
    const told: string[] = [];
    const proof: ServiceCallerProof = {
      condition: { name: "is", text: (first) => `$${first}::boolean`, values: [String(is)] },
      proven: () => told.push("proven"),
      prove: async () => {
        told.push("looked");
        if (!is) throw new Error("somebody else");
      },
    };
    return { told, proof };
  };
  const send = (text: string, proof: ServiceCallerProof, more: object = {}) =>
    call("sendChatMessage", {
      ...{ params, proof },
      body: { content: [{ type: "text", text }], busy_behavior: "queue", ...more },
    });
  const stored = async (table = "chat_messages") => {
    const { rows } = await database.pool.query(
      `select content #>> '{0,text}' as text from ${table} where content #>> '{0,text}' like 'No.%'`,
    );
    return rows.map((row) => row.text);
  };
  return {
    ...{ send, ends, prove, stored },
    [Symbol.asyncDispose]: () => chats[Symbol.asyncDispose](),
  };
}

test("a message to a chat that rests proves who asks by what it is written with", async () => {
  await using at = await scene();
  const { told, proof } = at.prove(true);
  assert.equal(must(await at.send("No. 1", proof)).queued, false);
  assert.deepEqual(told, ["proven"]);
  assert.deepEqual(await at.stored(), ["No. 1"]);
});

test("all that is not written so is done once who asks has been looked at", async () => {
  await using at = await scene();
  const first = at.prove(true);
  must(await at.send("No. 1", first.proof, { idempotency_key: "k" }));
  const busy = at.prove(true);
  assert.equal(must(await at.send("No. 2", busy.proof)).queued, true);
  assert.deepEqual(busy.told, ["looked"]);
  // In the chat that works again, and in one that rests.
  for (const end of [async () => {}, at.ends]) {
    await end();
    const again = at.prove(true);
    const repeated = must(await at.send("No. 1", again.proof, { idempotency_key: "k" }));
    assert.equal(repeated.queued, false);
    assert.deepEqual(again.told, ["looked"], "the answer of before is told");
    const other = at.prove(true);
    const reused = await at.send("No. 3", other.proof, { idempotency_key: "k" });
    assert.equal(codeOf(reused), "chat.request_key_reused");
    assert.deepEqual(other.told, ["looked"]);
  }
});

test("of somebody else nothing is written, and nothing is told", async () => {
  await using at = await scene();
  const key = { idempotency_key: "k" };
  for (const more of [{}, key, { plan_mode: "plan" }]) {
    const { told, proof } = at.prove(false);
    await assert.rejects(at.send("No. 1", proof, more), /somebody else/);
    assert.deepEqual(told, ["looked"]);
  }
  assert.deepEqual(await at.stored(), []);
  must(await at.send("No. 2", at.prove(true).proof, key));
  for (const more of [{}, key]) {
    await assert.rejects(at.send("No. 2", at.prove(false).proof, more), /somebody else/);
  }
  assert.deepEqual(await at.stored(), ["No. 2"]);
  assert.deepEqual(await at.stored("chat_queued_messages"), []);
});
