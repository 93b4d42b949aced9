/** What a chat begins with, on a real database, and what it may not begin with. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { must } from "../state/chat-world-testkit.ts";
import { chatClient, codeOf, created, HELLO } from "./chat-client-testkit.ts";
import { chatsWorld } from "./chats-testkit.ts";

describe("a new chat", () => {
  test("works at once, with the default model and the first words as its title", async () => {
    await using chats = await chatsWorld();
    const chat = await created(chatClient(chats));
    assert.equal(chat.status, "running");
    assert.equal(chat.title, "Please make the tests of the…");
    assert.equal(chat.last_model_config_id, chats.world.modelConfigId);
    assert.equal(chat.owner_username, "ann");
    assert.deepEqual(chat.children, []);
  });

  test("shows its message and not what the system says to the model", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const chat = await created(call, { system_prompt: "Speak like a pirate." });
    const page = must(await call("listChatMessages", { params: { chat: chat.id } }));
    assert.deepEqual(
      page.messages.map(({ role, content }) => [role, content]),
      [["user", HELLO]],
    );
    const { rows } = await chats.world.database.pool.query<{ text: string }>(
      "select content -> 0 ->> 'text' as text from chat_messages where role = 'system' order by id",
    );
    assert.deepEqual(rows.map(({ text }) => text).slice(0, 2), [
      "Be good.",
      "Speak like a pirate.",
    ]);
  });

  for (const { name, body, field } of [
    {
      name: "of a model that is not there",
      body: { model_config_id: randomUUID() },
      field: "model_config_id",
    },
    {
      name: "in a workspace of nobody",
      body: { workspace_id: randomUUID() },
      field: "workspace_id",
    },
    {
      name: "of another organization",
      body: { organization_id: randomUUID() },
      field: "organization_id",
    },
    { name: "without words", body: { content: [{ type: "text", text: "  " }] }, field: "content" },
    {
      name: "with a file of nobody",
      body: { content: [{ type: "file", file_id: randomUUID() }] },
      field: "content.0.file_id",
    },
    {
      name: "with two tools of one name",
      body: {
        unsafe_dynamic_tools: [
          { name: "a", input_schema: {} },
          { name: "a", input_schema: {} },
        ],
      },
      field: "unsafe_dynamic_tools",
    },
  ]) {
    test(`${name} is refused, and says where`, async () => {
      await using chats = await chatsWorld();
      const result = await chatClient(chats)("createChat", {
        body: { content: HELLO, client_type: "api", ...body },
      });
      assert.ok(!result.ok && result.failure.code === "request.invalid");
      assert.deepEqual(
        result.failure.validations?.map((validation) => validation.field),
        [field],
      );
      const { rowCount } = await chats.world.database.pool.query("select 1 from chats");
      assert.equal(rowCount, 0);
    });
  }

  test("works in a workspace of one's own, and neither it nor an older one in another's", async () => {
    const [own, anothers] = [randomUUID(), randomUUID()];
    await using chats = await chatsWorld({
      workspaces: ({ ownerId, organizationId }) =>
        [own, anothers].map((id) => ({
          ...{ id, organizationId, name: "w", agents: [] },
          ownerId: id === own ? ownerId : randomUUID(),
        })),
    });
    const { database, ownerId, organizationId } = chats.world;
    await database.pool.query(
      `insert into workspaces (id, owner_id, organization_id, name, kind, created_at, updated_at, last_used_at)
       values ($1, $2, $3, 'w', 'external', now(), now(), now())`,
      [own, ownerId, organizationId],
    );
    const call = chatClient(chats);
    const chat = await created(call, { workspace_id: own });
    assert.equal(chat.workspace_id, own);
    // A credential that may not enter workspaces, such as a token with few scopes.
    const may = (permission: string) => permission !== "workspace:connect";
    const outside = chatClient({ ...chats, caller: { ...chats.caller, may } });
    for (const [as, workspace] of [
      [call, anothers],
      [outside, own],
    ] as const) {
      const body = { workspace_id: workspace };
      const made = await as("createChat", {
        body: { content: HELLO, client_type: "api", ...body },
      });
      const moved = await as("updateChat", { params: { chat: chat.id }, body });
      assert.deepEqual([codeOf(made), codeOf(moved)], ["request.invalid", "request.invalid"]);
    }
    const shown = async () => must(await call("getChat", { params: { chat: chat.id } }));
    assert.equal((await shown()).workspace_id, own);
    must(await call("updateChat", { params: { chat: chat.id }, body: { workspace_id: null } }));
    assert.equal((await shown()).workspace_id, undefined);
  });

  test("with a tool server that there is not, or that is disabled, is refused", async () => {
    await using chats = await chatsWorld();
    const deps = { ...chats.deps, chooseMcpServers: async () => null };
    const body = { content: HELLO, client_type: "api", mcp_server_ids: [randomUUID()] };
    const refused = await chatClient({ ...chats, deps })("createChat", { body });
    assert.ok(!refused.ok && refused.failure.code === "request.invalid");
    assert.equal(refused.failure.validations?.[0]?.field, "mcp_server_ids");
  });

  test("with a key that came before is the one of then", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const first = await created(call, { idempotency_key: "k" });
    const again = await created(call, { idempotency_key: "k" });
    assert.equal(again.id, first.id);
    const other = await call("createChat", {
      body: {
        content: [{ type: "text", text: "other" }],
        client_type: "api",
        idempotency_key: "k",
      },
    });
    assert.equal(codeOf(other), "chat.request_key_reused");
  });

  test("that is asked for several times at once is one", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const asked = Array.from({ length: 6 }, () => created(call, { idempotency_key: "k" }));
    const ids = new Set((await Promise.all(asked)).map(({ id }) => id));
    assert.equal(ids.size, 1);
    const { rowCount } = await chats.world.database.pool.query("select 1 from chats");
    assert.equal(rowCount, 1);
  });
});
