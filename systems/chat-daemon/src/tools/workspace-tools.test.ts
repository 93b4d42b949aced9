/** Tools about the chat's workspace, with a directory of the test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, ok } from "@atelier/base/result";
import type { ChatWorkspace, ChatWorkspaceDirectory } from "@atelier/contract/rpc/chat-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import type { ToolContext, ToolOutcome } from "./tool.ts";
import { workspaceTools } from "./workspace-tools.ts";

type Value = Readonly<Record<string, unknown>>;

test("a workspace is made once for a call and bound; a bound one is given back", async () => {
  const world = toolWorld();
  const made = valueOf(await world.run("create_workspace", { name: "box" }));
  assert.deepEqual(
    [made["created"], made["workspace_name"], made["status"]],
    [true, "box", "not_connected"],
  );
  assert.match(String(made["next_step"]), /atelier workspaces token box/);
  // A crash came before it was bound.
  world.bound.pop();
  const cutOff = valueOf(await world.run("create_workspace", { name: "box" }));
  assert.equal(cutOff["workspace_id"], made["workspace_id"]);
  assert.deepEqual([world.made.length, world.bound.length], [1, 1]);
  const bound = { workspaceId: String(made["workspace_id"]) };
  const again = valueOf(await world.run("create_workspace", {}, { ...bound, callId: "other" }));
  assert.deepEqual([again["created"], world.made.length], [false, 1]);
});

test("calls of one answer make one workspace between them, also where an earlier one failed", async () => {
  const world = toolWorld();
  world.taken.add("box");
  const outcomes = await Promise.all(
    ["box", "one", "two", "three"].map((name) =>
      world.run("create_workspace", { name }, { callId: `1:${name}` }),
    ),
  );
  assert.equal(outcomes[0]?.kind, "error");
  const values = outcomes.slice(1).map(valueOf);
  assert.deepEqual(
    values.map((value) => value["created"]),
    [true, false, false],
  );
  assert.equal(new Set(values.map((value) => value["workspace_id"])).size, 1);
  assert.deepEqual([world.made.length, world.bound.length], [1, 1]);
});

test("a name that is taken is said, and one that is none is replaced", async () => {
  const world = toolWorld();
  world.taken.add("box");
  const refused = await world.run("create_workspace", { name: "box" });
  assert.ok(refused.kind === "error" && /called box already/.test(refused.message));
  const made = valueOf(await world.run("create_workspace", { name: "../etc" }));
  assert.match(String(made["workspace_name"]), /^chat-[0-9a-f]{8}$/);
});

test("start waits until the machine is there, and at most so long", async () => {
  const world = toolWorld();
  const none = await world.run("start_workspace", {});
  assert.ok(none.kind === "error" && /No workspace/.test(none.message));
  const { workspace_id } = valueOf(await world.run("create_workspace", {}));
  const bound = { workspaceId: String(workspace_id) };
  const late = await world.waited(world.run("start_workspace", { timeout: 4_000 }, bound));
  assert.equal(valueOf(late)["status"], "not_connected");
  const waiting = world.run("start_workspace", { timeout: 60_000 }, bound);
  world.isConnected = true;
  assert.equal(valueOf(await world.waited(waiting))["status"], "connected");
  const stop = valueOf(await world.run("stop_workspace", {}, bound));
  assert.equal(stop["stopped"], false);
  assert.match(String(stop["next_step"]), /person's own/);
});

function valueOf(outcome: ToolOutcome): Value {
  assert.ok(outcome.kind === "json", JSON.stringify(outcome));
  return outcome.value as Value;
}

function toolWorld() {
  const clock = new FakeClock();
  const made: ChatWorkspace[] = [];
  const bound: string[] = [];
  const taken = new Set<string>();
  const state = { isConnected: false };
  const agentOf = ({ id }: ChatWorkspace) => ({
    ...{ id, name: "main", isConnected: state.isConnected },
    ...{ operatingSystem: null, directory: null },
  });
  const directory: ChatWorkspaceDirectory = {
    find: async (id) => {
      const found = made.find((each) => each.id === id);
      return found && { ...found, agents: [agentOf(found)] };
    },
    listOf: async () => made,
    touched: () => {},
    create: async ({ id, ownerId, name }) => {
      if (taken.has(name)) return fail("name_taken");
      const known = made.find((each) => each.id === id);
      if (known !== undefined) return ok(known);
      const workspace = { id, ownerId, organizationId: "g", name, agents: [] };
      made.push(workspace);
      return ok(workspace);
    },
  };
  const tools = new Map(
    workspaceTools({
      directory,
      bind: async (_chat, workspaceId) => {
        bound.push(workspaceId);
      },
      boundTo: async () => bound.at(-1) ?? null,
    }).map((tool) => [tool.name, tool]),
  );
  const run = async (
    name: string,
    input: object,
    about: { readonly workspaceId?: string; readonly callId?: string } = {},
  ): Promise<ToolOutcome> => {
    const { workspaceId = null, callId = "1:a" } = about;
    const chat = { id: "11111111-1111-4111-8111-111111111111", ownerId: "o", workspaceId };
    const { signal } = new AbortController();
    const context = { chat, callId, clock, signal } as unknown as ToolContext;
    const tool = tools.get(name) ?? assert.fail(name);
    return tool.run(input, context);
  };
  return Object.assign(state, {
    ...{ made, bound, taken, run },
    waited: async (running: Promise<ToolOutcome>): Promise<ToolOutcome> => {
      for (let look = 0; look < 40; look++) {
        await new Promise((resolve) => setImmediate(resolve));
        await clock.advance(2_000);
      }
      return running;
    },
  });
}
