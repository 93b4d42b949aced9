/** Tool servers of chats, against a real one in this process and a real database. */
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { systemClock } from "@atelier/base/system-clock";
import { MCP_TRANSPORTS } from "@atelier/contract/http/mcp-servers";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { listMcpTools } from "./mcp-client-io.ts";
import { isToolAllowed, toolNameOn } from "./mcp-server.ts";
import type { ChatKind } from "../tools/tool-availability.ts";
import {
  changeServer,
  chooseServers,
  createServer,
  dropServer,
  serversForExplorer,
} from "./mcp-server-actions.ts";
import { startSseRemote } from "./mcp-sse-testkit.ts";
import { mcpWorld, NEW } from "./mcp-testkit.ts";
import { canTakeIntent } from "./model-intent.ts";
import { outcomeOf } from "./mcp-tools-actions.ts";

const KEY = "tool-key-1234";

test("a chat has the allowed tools of its servers, under their slug, and calls them with the credentials", async () => {
  await using world = await mcpWorld();
  const { tools, remote } = world;
  const auth = { type: "api_key", header: "X-Tool-Key", value: KEY } as const;
  const server = await world.add({ auth, toolDenyList: ["drop everything"] });
  const found = await tools.toolsOf({
    ownerId: world.ownerId,
    mcpServerIds: [server.id],
    mode: null,
  });
  assert.deepEqual(
    found.map(({ name }) => name),
    ["ours__add", "ours__fail", "ours__look"],
  );
  const [add, broken] = found;
  assert.deepEqual(add?.inputSchema.required, ["a", "b"]);
  assert.deepEqual(await add?.run({ a: 2, b: 3 }, world.context()), { kind: "text", text: "5" });
  const failed = await broken?.run({}, world.context());
  assert.deepEqual(failed, { kind: "error", message: "no luck" });
  assert.ok(
    remote.seen.length > 0 && remote.seen.every((headers) => headers["x-tool-key"] === KEY),
  );
  assert.ok(!JSON.stringify(world.audited).includes(KEY));
  const { rows } = await world.database.pool.query("select * from mcp_servers");
  assert.ok(!JSON.stringify(rows).includes(KEY));
});

test("over the older transport the same tools answer, with the credentials on each request, and nothing stays open", async () => {
  await using world = await mcpWorld();
  await using remote = await startSseRemote();
  const auth = { type: "api_key", header: "X-Tool-Key", value: KEY } as const;
  const server = await world.add({ url: remote.url, transport: "sse", auth });
  const found = await world.tools.toolsOf({
    ownerId: world.ownerId,
    mcpServerIds: [server.id],
    mode: null,
  });
  const add = found.find(({ name }) => name === "ours__add");
  assert.deepEqual(await add?.run({ a: 2, b: 3 }, world.context()), { kind: "text", text: "5" });
  assert.deepEqual([...new Set(remote.seen.map(({ method }) => method))], ["GET", "POST"]);
  assert.ok(remote.seen.every((headers) => headers["x-tool-key"] === KEY));
  await Promise.all([...remote.open].map((response) => once(response, "close")));
});

test("models say what a call is for where a server wants it, and the server is not told", async () => {
  await using world = await mcpWorld();
  const asked: Record<string, unknown>[] = [];
  const { client } = world;
  const callTool = client.callTool.bind(client);
  client.callTool = (target, call, signal) => {
    asked.push(call.args);
    return callTool(target, call, signal);
  };
  const server = await world.add({ modelIntent: true });
  const chat = { ownerId: world.ownerId, mcpServerIds: [server.id], mode: null };
  const toolOf = async (name: string) =>
    (await world.tools.toolsOf(chat)).find((tool) => tool.name === `ours__${name}`);
  const add = await toolOf("add");
  assert.deepEqual(add?.inputSchema.required, ["model_intent", "a", "b"]);
  assert.deepEqual(Object.keys(add.inputSchema.properties ?? {}), ["model_intent", "a", "b"]);
  assert.deepEqual((await toolOf("look"))?.inputSchema.required, ["model_intent"]);
  const said = { model_intent: "adding two numbers", a: 2, b: 3 };
  assert.deepEqual(await add.run(said, world.context()), { kind: "text", text: "5" });
  // One that forgets it is served.
  assert.deepEqual(await add.run({ a: 2, b: 3 }, world.context()), { kind: "text", text: "5" });
  await changeServer(world, world.audit, server.id, { modelIntent: false });
  assert.deepEqual((await toolOf("add"))?.inputSchema.required, ["a", "b"]);
  await (await toolOf("look"))?.run({ model_intent: "its own" }, world.context());
  assert.deepEqual(asked, [{ a: 2, b: 3 }, { a: 2, b: 3 }, { model_intent: "its own" }]);
});

test("a tool with an input of that name keeps it", () => {
  const own = { type: "object", properties: { model_intent: { type: "number" } } };
  assert.equal(canTakeIntent(own), false);
  assert.equal(canTakeIntent({ type: "object" }), true);
});

test("a call that was cut off is not made again, unless repeating harms nothing", async () => {
  await using world = await mcpWorld();
  const server = await world.add({});
  const found = await world.tools.toolsOf({
    ownerId: world.ownerId,
    mcpServerIds: [server.id],
    mode: null,
  });
  const toolOf = (name: string) => found.find((tool) => tool.name === `ours__${name}`);
  const context = world.context();
  assert.deepEqual(await toolOf("add")?.run({ a: 1, b: 1 }, context), { kind: "text", text: "2" });
  const again = await toolOf("add")?.run({ a: 1, b: 1 }, context);
  assert.ok(again?.kind === "error" && /cut off/.test(again.message));
  const look = world.context();
  for (let time = 0; time < 2; time++) {
    assert.deepEqual(await toolOf("look")?.run({}, look), { kind: "text", text: "seen" });
  }
});

test("a server is a chat's when it is forced on or chosen, and enabled", async () => {
  await using world = await mcpWorld();
  const forced = await world.add({ slug: "forced", availability: "force_on" });
  const preset = await world.add({ slug: "preset", availability: "default_on" });
  const off = await world.add({ slug: "off", enabled: false });
  const slugsOf = async (mcpServerIds: readonly string[]) => [
    ...new Set(
      (await world.tools.toolsOf({ ownerId: world.ownerId, mcpServerIds, mode: null })).map(
        ({ name }) => name.split("__")[0],
      ),
    ),
  ];
  assert.deepEqual(await slugsOf([]), ["forced"]);
  assert.deepEqual(await slugsOf([preset.id, off.id, randomUUID()]), ["forced", "preset"]);
  assert.deepEqual(await chooseServers(world, undefined), [preset.id]);
  assert.deepEqual(await chooseServers(world, [forced.id]), [forced.id]);
  assert.equal(await chooseServers(world, [off.id]), null);
});

test("plans are made without tools of others, unless an administrator allows them", async () => {
  await using world = await mcpWorld();
  const server = await world.add({});
  const chat = { ownerId: world.ownerId, mcpServerIds: [server.id], mode: null };
  const kinds = async () => [...((await world.tools.toolsOf(chat))[0]?.kinds ?? [])];
  const always = ["child", "computer_use_child", "explore_child", "root"];
  assert.deepEqual((await kinds()).toSorted(), always);
  await changeServer(world, world.audit, server.id, { allowInPlanMode: true });
  // Who plans for another has them never.
  assert.deepEqual((await kinds()).toSorted(), [...always, "root_plan"]);
});

test("who explores for a chat has the servers that the chat's turn had, and no others", async () => {
  await using world = await mcpWorld();
  const forced = await world.add({ slug: "forced", availability: "force_on" });
  const approved = await world.add({ slug: "approved", allowInPlanMode: true });
  const chosen = await world.add({ slug: "chosen" });
  const off = await world.add({ slug: "off", enabled: false, allowInPlanMode: true });
  const other = await world.add({ slug: "other", allowInPlanMode: true });
  const of = { ownerId: world.ownerId, mode: null };
  const parent = { ...of, mcpServerIds: [chosen.id, approved.id, off.id] };
  const slugsFor = async (kind: ChatKind) => {
    const mcpServerIds = await serversForExplorer(world, parent, kind);
    assert.ok(!mcpServerIds.includes(other.id));
    const found = await world.tools.toolsOf({ ...of, mcpServerIds, mode: "explore" });
    return [...new Set(found.map(({ name }) => name.split("__")[0]))];
  };
  assert.deepEqual(await slugsFor("root"), ["approved", "chosen", "forced"]);
  // Also what is forced on is no plan's without an administrator's word.
  assert.deepEqual(await slugsFor("root_plan"), ["approved"]);
  await changeServer(world, world.audit, forced.id, { enabled: false });
  assert.deepEqual(await slugsFor("root"), ["approved", "chosen"]);
});

test("a server that is away costs a chat its tools and nothing else, and is asked once a minute", async () => {
  await using world = await mcpWorld({ clock: new FakeClock() });
  const here = await world.add({ slug: "here" });
  const away = await world.add({ slug: "away", url: "http://127.0.0.1:1/mcp" });
  const chat = { ownerId: world.ownerId, mcpServerIds: [here.id, away.id], mode: null };
  for (let step = 0; step < 3; step++) {
    const names = (await world.tools.toolsOf(chat)).map(({ name }) => name);
    assert.ok(names.every((name) => name.startsWith("here__")) && names.length === 4);
  }
  assert.equal(world.listed.filter((url) => url.includes(":1/")).length, 1);
  await (world.clock as FakeClock).advance(61_000);
  await world.tools.toolsOf(chat);
  assert.equal(world.listed.filter((url) => url.includes(":1/")).length, 2);
  const tested = await world.tools.test(away.id, world.ownerId, new AbortController().signal);
  assert.equal(tested?.tools.ok, false);
});

for (const transport of MCP_TRANSPORTS) {
  test(`${transport}: a server that takes connections and never answers is given up after ten seconds`, async () => {
    const silent = createHttpServer(() => {});
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const clock = new FakeClock();
    const target = {
      url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`,
      transport,
      headers: {},
    };
    const arrived = once(silent, "request");
    const asked = listMcpTools(
      { clock, fetch, version: "1" },
      target,
      new AbortController().signal,
    );
    const [, response] = (await arrived) as [IncomingMessage, ServerResponse];
    const hungUp = once(response, "close");
    await clock.advance(10_000);
    assert.deepEqual(await asked, {
      ok: false,
      failure: { words: "It did not answer within 10 s.", isRefused: false },
    });
    await hungUp;
    silent.closeAllConnections();
    silent.close();
  });

  test(`${transport}: refused credentials are said, without the answer's words`, async () => {
    const refusing = createHttpServer((_request, response) => {
      response.writeHead(401, { "content-type": "text/plain" }).end(`bad key ${KEY}`);
    });
    await once(refusing.listen(0, "127.0.0.1"), "listening");
    const target = {
      url: `http://127.0.0.1:${(refusing.address() as AddressInfo).port}/`,
      transport,
      headers: {},
    };
    const deps = { clock: systemClock, fetch, version: "1" };
    const asked = await listMcpTools(deps, target, new AbortController().signal);
    assert.ok(
      !asked.ok && /refuses the credentials/.test(asked.failure.words),
      JSON.stringify(asked),
    );
    assert.ok(!asked.failure.words.includes(KEY));
    refusing.closeAllConnections();
    refusing.close();
  });
}

test("a slug is one server's, and what is deleted takes its secret with it", async () => {
  await using world = await mcpWorld();
  const auth = { type: "custom_headers", headers: { "X-A": KEY } } as const;
  const server = await world.add({ auth });
  const again = await createServer(world, world.audit, { ...NEW, url: server.url });
  assert.equal(!again.ok && again.failure.code, "mcp_server.slug_taken");
  assert.deepEqual([...world.kept.keys()], [server.id]);
  await changeServer(world, world.audit, server.id, { displayName: "New" });
  assert.deepEqual([...world.kept.keys()], [server.id]);
  const bare = await changeServer(world, world.audit, server.id, { auth: { type: "none" } });
  assert.ok(bare.ok && bare.value.headerNames.length === 0);
  assert.deepEqual([...world.kept.keys()], []);
  await changeServer(world, world.audit, server.id, { auth });
  assert.ok((await dropServer(world, world.audit, server.id)).ok);
  assert.deepEqual([...world.kept.keys()], []);
  assert.equal((await dropServer(world, world.audit, server.id)).ok, false);
});

test("names fit model providers, and a denied tool is denied also where it is allowed", () => {
  assert.equal(toolNameOn({ slug: "a-b" }, "x.y/ü"), "a-b__x_y__");
  assert.equal(toolNameOn({ slug: "a" }, "n".repeat(99)).length, 64);
  const lists = { toolAllowList: ["a", "b"], toolDenyList: ["b"] } as never;
  assert.deepEqual(
    ["a", "b", "c"].map((name) => isToolAllowed(lists, name)),
    [true, false, false],
  );
});

test("results become what models take", () => {
  const image = { type: "image", data: "AAAA", mimeType: "image/png" };
  const text = (words: string) => ({ type: "text", text: words });
  assert.deepEqual(outcomeOf({ content: [text("a"), image] }), {
    ...{ kind: "media", mediaType: "image/png", data: "AAAA", text: "a" },
  });
  assert.deepEqual(outcomeOf({ content: [], structuredContent: { a: 1 } }), {
    ...{ kind: "json", value: { a: 1 } },
  });
  assert.deepEqual(outcomeOf({ content: [text("a"), text("b")] }), { kind: "text", text: "a\nb" });
  assert.equal(outcomeOf({ content: [], isError: true }).kind, "error");
});
