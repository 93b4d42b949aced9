/** The tools of chats on a real workspace agent: files, processes, and calls that come twice. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { builtinTools } from "@atelier/chat-daemon/tools/builtin-tools";
import { callContext, runToolBatch } from "@atelier/chat-daemon/tools/tool-batch";
import type { ToolChat } from "@atelier/chat-daemon/tools/tool";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { openWorkspaceServices } from "@atelier/workspace-agent/start";

type Call = { readonly name: string; readonly args: unknown; readonly id?: string };

const CHAT: ToolChat = {
  ...{ id: "11111111-1111-4111-8111-111111111111", ownerId: "o", organizationId: "g" },
  ...{ workspaceId: "w", parentChatId: null, rootChatId: null, mode: null, planMode: null },
  ...{ lastModelConfigId: "m", fence: 1 },
};

async function openWorld() {
  const home = await realpath(await mkdtemp(join(tmpdir(), "atelier-tools-")));
  const resources = new AsyncDisposableStack();
  resources.defer(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
  const options = {
    ...{ stateDirectory: join(home, ".state"), homeDirectory: home, directory: home },
    ...{ shell: "/bin/sh", environment: { PATH: process.env["PATH"], HOME: home }, version: "1" },
    terminalIdleTimeoutMs: null,
  };
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const services = await openWorkspaceServices(options, deps, resources);
  resources.defer(() => killAll(services));
  const stored: { name: string; mediaType: string; bytes: Uint8Array }[] = [];
  const tools = builtinTools({
    directory: {
      ...{ find: never, listOf: () => Promise.resolve([]), touched: () => {}, create: never },
    },
    boundTo: never,
    bind: never,
    files: {
      store: (_chat, file) => {
        stored.push(file);
        const fileId = systemRandom.uuid();
        return Promise.resolve(ok({ fileId, name: file.name, mediaType: file.mediaType }));
      },
    },
    subagents: {
      ...{
        spawn: never,
        find: never,
        list: never,
        message: never,
        interrupt: never,
        models: never,
        computerUse: never,
      },
      watch: () => ({ isHearing: () => false, [Symbol.dispose]: () => {} }),
    },
    skills: {
      find: (_owner, name) => Promise.resolve(name === "own-notes" ? { body: "mine" } : undefined),
    },
  });
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const set = { tools: byName, active: new Set(byName.keys()), dynamicNames: new Set<string>() };
  const world = { workspace: services, chat: CHAT, messageId: 1, signal: neverAborted() };
  const shown: MessagePart[] = [];
  const publish = (part: MessagePart): void => {
    shown.push(part);
  };
  const batchDeps = (more: Partial<typeof world> = {}) => {
    const { workspace, ...rest } = { ...world, ...more };
    return {
      ...{
        ...rest,
        ...deps,
        resultBytesMax: 100_000,
        isDatabaseAway: () => false,
        notice: () => null,
        publish,
      },
      ...{ started: () => {}, completed: () => {} },
      workspace: () => Promise.resolve(ok({ workspaceId: "w", agentId: "a", services: workspace })),
    };
  };
  const run = async (calls: readonly Call[], more: Partial<typeof world> = {}) => {
    const parts = calls.map(({ name, args, id = name }) => ({
      ...{ type: "tool-call" as const, tool_call_id: id, tool_name: name, args },
    }));
    const results = await runToolBatch(set, parts, batchDeps(more));
    return results?.map(({ result }) => result.result as Record<string, never>) ?? null;
  };
  const one = async (name: string, args: unknown, more: Partial<typeof world> = {}) => {
    const results = await run([{ name, args }], more);
    assert.ok(results !== null);
    return results[0] ?? assert.fail("one call has one result");
  };
  return {
    ...{ home, services, run, one, stored, shown, tools: byName, batchDeps },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test("files are written, read by lines and edited all or nothing", async () => {
  await using world = await openWorld();
  const path = join(world.home, "deep/down/a.txt");
  assert.deepEqual(await world.one("write_file", { path, content: "one\ntwo\n" }), { ok: true });
  const read = await world.one("read_file", { path, offset: 2 });
  assert.deepEqual(read, {
    ...{ content: "2\ttwo\n", file_size: 8, lines_read: 1, total_lines: 2 },
  });
  const edits = [
    { path, old_text: "one", new_text: "ONE" },
    { path, old_text: "three", new_text: "3" },
  ];
  const refused = await world.one("edit_files", { edits }, { messageId: 2 });
  assert.match(String(refused["error"]), /^No edits were applied\./);
  assert.equal(await readFile(path, "utf8"), "one\ntwo\n");
  const text = JSON.stringify([edits[0]]);
  const edited = await world.one("edit_files", { edits: text }, { messageId: 3 });
  assert.equal(edited["ok"], true);
  assert.equal(await readFile(path, "utf8"), "ONE\ntwo\n");
});

test("edits in a retired shape or without a path are told what is wanted", async () => {
  await using world = await openWorld();
  const files = [{ path: "/a", edits: [] }];
  assert.match(String((await world.one("edit_files", { files }))["error"]), /Pass \{"edits"/);
  const edits = [{ path: " ", old_text: "a", new_text: "b" }];
  assert.match(String((await world.one("edit_files", { edits }))["error"]), /without a path: 0/);
});

test("in plan mode only the plan file can be written, also not through a symlink", async () => {
  await using world = await openWorld();
  const chat = { ...CHAT, planMode: "plan" as const };
  const plan = `~/.atelier/plans/PLAN-${CHAT.id}.md`;
  const other = join(world.home, "code.ts");
  const refused = await world.one("write_file", { path: other, content: "x" }, { chat });
  assert.match(String(refused["error"]), /only the plan file/);
  const written = await world.one(
    "write_file",
    { path: plan, content: "# Plan" },
    { chat, messageId: 2 },
  );
  assert.deepEqual(written, { ok: true });
  const proposed = await world.one("propose_plan", {}, { chat });
  assert.equal(proposed["kind"], "plan");
  assert.equal(Buffer.from(world.stored[0]?.bytes ?? []).toString(), "# Plan");
  const directory = join(world.home, ".atelier/plans");
  await rm(directory, { recursive: true });
  await mkdir(directory);
  await writeFile(other, "keep me");
  await symlink(other, join(directory, `PLAN-${CHAT.id}.md`));
  const escaped = await world.one(
    "write_file",
    { path: plan, content: "gone" },
    { chat, messageId: 3 },
  );
  assert.ok("error" in escaped);
  assert.equal(await readFile(other, "utf8"), "keep me");
});

test("a command's output and exit code, its environment, and a note where a better tool is", async () => {
  await using world = await openWorld();
  const done = await world.one("execute", { command: "echo $TERM; exit 3" });
  assert.deepEqual([done["success"], done["exit_code"], done["output"]], [false, 3, "dumb\n"]);
  await writeFile(join(world.home, "a.txt"), "text");
  const read = await world.one("execute", { command: "cat a.txt" }, { messageId: 2 });
  assert.equal(read["output"], "text");
  assert.match(String(read["note"]), /read_file/);
});

test("long output keeps its head and its tail", async () => {
  await using world = await openWorld();
  const done = await world.one("execute", { command: "seq 1 20000" });
  assert.equal(done["truncated"], true);
  const output = String(done["output"]);
  assert.ok(Buffer.byteLength(output) < 34_000);
  assert.ok(output.startsWith("1\n2\n") && output.endsWith("20000\n"));
  assert.match(output, /bytes left out/);
});

test("a command that takes too long goes on, and can be followed and ended", async () => {
  await using world = await openWorld();
  const slow = await world.one("execute", { command: "echo begun; sleep 60", timeout: "300ms" });
  assert.deepEqual([slow["success"], slow["exit_code"]], [false, -1]);
  assert.match(String(slow["error"]), /timed out after 0.3s/);
  const process_id = slow["background_process_id"];
  const now = await world.one("process_output", { process_id, wait_timeout: "0s" });
  assert.deepEqual([now["success"], now["output"]], [true, "begun\n"]);
  const { processes } = await world.one("process_list", {});
  assert.equal((processes as unknown as readonly unknown[]).length, 1);
  await world.one("process_signal", { process_id, signal: "kill" });
  const ended = await world.one("process_output", { process_id });
  assert.deepEqual([ended["success"], ended["error"]], [false, "ended by SIGKILL"]);
});

test("viewers see what a command writes while it runs, and nothing of it counts as its result", async () => {
  await using world = await openWorld();
  const command =
    "for i in 1 2 3; do echo line $i ä; sleep 0.3; done; printf 'a\\0b\\n'; sleep 0.4";
  const done = await world.one("execute", { command });
  const deltas = world.shown.map((part) => {
    assert.ok(part.type === "tool-result" && part.result === null && part.is_error === undefined);
    assert.equal(part.tool_call_id, "execute");
    return part.result_delta ?? "";
  });
  assert.ok(deltas.length >= 2, JSON.stringify(deltas));
  assert.equal(deltas.join(""), "line 1 ä\nline 2 ä\nline 3 ä\na\uFFFDb\n");
  assert.match(String(done["output"]), /^line 1/);
  world.shown.length = 0;
  await world.one("execute", { command: "echo quick" }, { messageId: 2 });
  assert.deepEqual(world.shown, [], "its result comes as soon");
});

test("a command that writes without end is shown in part, and the rest is said to be left out", async () => {
  await using world = await openWorld();
  const command = "sleep 0.4; seq 1 2000000; sleep 0.5";
  const done = await world.one("execute", { command, timeout: "60s" });
  assert.equal(done["success"], true);
  const text = world.shown
    .map((part) => ("result_delta" in part ? part.result_delta : ""))
    .join("");
  assert.ok(text.length < 110_000, String(text.length));
  assert.match(text, /bytes left out|shown when the command ends/);
});

test("an ampersand at the end means the background", async () => {
  await using world = await openWorld();
  const started = await world.one("execute", { command: "sleep 60 &" });
  assert.equal(started["success"], true);
  const { process_id } = { process_id: started["background_process_id"] };
  const now = await world.one("process_output", { process_id, wait_timeout: 0 });
  assert.equal(now["note"], "The process is still running.");
});

test("a call that comes again after a crash finds what the first one did", async () => {
  await using world = await openWorld();
  const command = "echo run >> runs; echo done";
  const first = await world.one("execute", { command });
  const again = await world.one("execute", { command }, { chat: { ...CHAT, fence: 2 } });
  assert.equal(again["output"], first["output"]);
  assert.equal(await readFile(join(world.home, "runs"), "utf8"), "run\n");
  const path = join(world.home, "w");
  const chat = { ...CHAT, fence: 2 };
  await world.one("write_file", { path, content: "mine" }, { chat });
  await writeFile(path, "somebody's");
  await world.one("write_file", { path, content: "mine" }, { chat });
  assert.equal(await readFile(path, "utf8"), "somebody's", "it is not written twice");
});

test("a server that lost the chat is refused, and nothing of the batch counts", async () => {
  await using world = await openWorld();
  await world.one("execute", { command: "true" }, { chat: { ...CHAT, fence: 5 } });
  const calls = [{ name: "execute", args: { command: "touch late" } }];
  assert.equal(await world.run(calls, { chat: { ...CHAT, fence: 4 }, messageId: 2 }), null);
  await assert.rejects(readFile(join(world.home, "late")));
});

test("a call with the id of another but other input is refused", async () => {
  await using world = await openWorld();
  await world.one("execute", { command: "true" });
  const other = await world.one("execute", { command: "false" });
  assert.match(String(other["error"]), /another input/);
});

test("a broken link is waited for, and the call is repeated without harm", async () => {
  await using world = await openWorld();
  let breaks = 2;
  const start: WorkspaceServices["processes"]["start"] = async (input, options) => {
    const done = await world.services.processes.start(input, options);
    breaks -= 1;
    // It took place; the answer is lost.
    return breaks < 0 ? done : fail({ code: "disconnected", message: "The link broke." });
  };
  const processes = { ...world.services.processes, start };
  const workspace = { ...world.services, processes };
  const done = await world.one("execute", { command: "echo x >> runs" }, { workspace });
  assert.equal(done["success"], true);
  assert.equal(await readFile(join(world.home, "runs"), "utf8"), "x\n");
});

test("what was lost for good is said so", async () => {
  await using world = await openWorld();
  const answers = (code: "effect_lost" | "not_found") => () =>
    Promise.resolve(fail({ code, message: "." }));
  const lost = { ...world.services.processes, start: answers("effect_lost") };
  const effect = await world.one(
    "execute",
    { command: "x" },
    { workspace: { ...world.services, processes: lost } },
  );
  assert.match(String(effect["error"]), /only if it is safe to do twice/);
  const unknown = await world.one("process_output", { process_id: "0-0" });
  assert.match(String(unknown["error"]), /does not know the process|lost/);
});

test("a stopped turn ends what ran in its foreground, and nothing in the background", async () => {
  await using world = await openWorld();
  await world.one("execute", { command: "sleep 61 &" });
  const ended = new AbortController();
  const calls = [{ name: "execute", args: { command: "sleep 62", timeout: "60s" }, id: "fg" }];
  const running = world.run(calls, { signal: ended.signal, messageId: 7 });
  const started = async () => {
    const listed = await world.services.processes.list({});
    return listed.ok && listed.value.processes.length === 2;
  };
  while (!(await started())) await new Promise((resolve) => setTimeout(resolve, 10));
  ended.abort(new Error("stop"));
  await assert.rejects(running, /stop/);
  const part = {
    ...{ type: "tool-call" as const, tool_call_id: "fg", tool_name: "execute" },
    args: calls[0]?.args,
  };
  await world.tools.get("execute")?.cancel?.(callContext(part, world.batchDeps({ messageId: 7 })));
  const background = { ...part, tool_call_id: "execute", args: { command: "sleep 61 &" } };
  await world.tools.get("execute")?.cancel?.(callContext(background, world.batchDeps()));
  const listed = await world.services.processes.list({});
  assert.ok(listed.ok);
  const states = listed.value.processes.map(({ command, state }) => `${command} ${state}`);
  assert.deepEqual(states.toSorted(), ["sleep 61 running", "sleep 62 exited"]);
});

test("a file is attached with what its bytes are, and a binary one is not", async () => {
  await using world = await openWorld();
  const png = Buffer.from("89504e470d0a1a0a0000", "hex");
  await writeFile(join(world.home, "shot.txt"), png);
  const attached = await world.one("attach_file", { path: "~/shot.txt" });
  assert.deepEqual([attached["media_type"], attached["size"]], ["image/png", 10]);
  await writeFile(join(world.home, "b.bin"), Buffer.from([0, 159, 146, 150]));
  assert.ok("error" in (await world.one("attach_file", { path: "~/b.bin" })));
  await writeFile(join(world.home, "big.txt"), Buffer.alloc(10 * 1024 * 1024 + 1, 65));
  const big = await world.one("attach_file", { path: "~/big.txt" });
  assert.match(String(big["error"]), /larger than/);
});

test("skills of the workspace and of the person; no way out of a skill's directory", async () => {
  await using world = await openWorld();
  const directory = join(world.home, ".agents/skills/deploying");
  await mkdir(directory, { recursive: true });
  const front = "---\nname: deploying\ndescription: how to deploy\n---\nDo it.";
  await writeFile(join(directory, "SKILL.md"), front);
  await writeFile(join(directory, "steps.md"), "one, two");
  await writeFile(join(world.home, "secret"), "no");
  const skill = await world.one("read_skill", { name: "deploying" });
  assert.match(String(skill["body"]), /Do it\./);
  assert.deepEqual(skill["files"], ["steps.md"]);
  const file = await world.one("read_skill_file", { name: "deploying", path: "steps.md" });
  assert.equal(file, "one, two");
  for (const path of ["../../../secret", "/etc/passwd", ".hidden", "a//b"]) {
    assert.ok("error" in (await world.one("read_skill_file", { name: "deploying", path })), path);
  }
  assert.equal((await world.one("read_skill", { name: "own-notes" }))["body"], "mine");
  assert.ok("error" in (await world.one("read_skill", { name: "nothing" })));
  for (const name of ["../deploying", "deploying/..", ".agents", "Deploying", ""]) {
    assert.ok("error" in (await world.one("read_skill", { name })), name);
    assert.ok("error" in (await world.one("read_skill_file", { name, path: "secret" })), name);
  }
});

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

function never(): Promise<never> {
  return Promise.reject(new Error("not asked for"));
}

async function killAll({ processes }: WorkspaceServices): Promise<void> {
  const listed = await processes.list({});
  const running = listed.ok
    ? listed.value.processes.filter((each) => each.state === "running")
    : [];
  for (const { id } of running) await processes.signal({ id, signal: "SIGKILL" });
}
