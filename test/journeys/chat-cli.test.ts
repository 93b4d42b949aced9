/** Work with an agent from the terminal: `atelier chat`, as a process of its own, against real servers. */
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import { says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { setUpChats } from "./chat-world.ts";
import { attachMachine, type Attached } from "./workspace-world.ts";

/** `atelier …` while it runs. */
function running(machine: Attached, server: RealServer, words: readonly string[]) {
  const child = machine.start(server, words);
  const seen = { out: "", err: "" };
  let wake = (): void => {};
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    seen.out += text;
    wake();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    seen.err += text;
    wake();
  });
  const closed = once(child, "close");
  child.on("close", () => wake());
  return {
    seen,
    interrupt: () => child.kill("SIGINT"),
    ended: async (): Promise<number | null> => {
      await closed;
      return child.exitCode;
    },
    until: async (isSeen: () => boolean): Promise<void> => {
      while (!isSeen()) {
        assert.equal(child.exitCode, null, `it runs: ${JSON.stringify(seen)}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

/** One address for servers that come and go. */
async function balancer(first: RealServer) {
  let { port } = first;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address() as AddressInfo; // It listens on a port, not on a pipe.
  return {
    url: `http://127.0.0.1:${address.port}`,
    sendTo: (server: RealServer): void => {
      port = server.port;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, "close");
    },
  };
}

test("a chat is begun, answered, and works in a workspace, from scripts", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  // Slow enough that parts are shown before the whole is there.
  const model = await startScriptedModel({ pacing: { delayMs: 40 } });
  await using _world = await setUpChats(server, { token: machine.person.session, model });
  const chat = (...words: string[]) => machine.cli(server, ["chat", ...words]);

  const begun = await machine.cli(
    server,
    ["chat", "new", "--workspace", "dev", "--title", "First", "--quiet"],
    "Hello there",
  );
  assert.deepEqual([begun.code, begun.out, begun.err], [0, "You said: Hello there\n", ""]);

  const sent = await chat("send", "last", "And", "now?");
  assert.deepEqual([sent.code, sent.out], [0, "You said: And now?\n"], sent.err);

  const command = JSON.stringify({ command: "echo $((6*7)); exit 3" });
  const worked = await chat("send", "last", `[[call:execute ${command}]]`);
  assert.equal(worked.code, 0, worked.err);
  assert.match(worked.err, /✗ execute {2}echo \$\(\(6\*7\)\); exit 3 {2}[\d.]+s, exit 3\n/);

  const events = await chat("send", "last", "As lines", "--json");
  const types = events.out
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { type: string }).type);
  assert.ok(types.includes("message") && types.includes("message_part"), types.join(" "));

  const listed = await chat("list");
  assert.match(listed.out, /idle|answered/);
  assert.match(listed.out, /First .*claude-scripted +dev/);
  const shown = await chat("show", "last");
  assert.match(shown.out, /› Hello there\nYou said: Hello there\n/);
  assert.match(shown.out, /› As lines\nYou said: As lines\n$/);
  const edited = await chat("edit", "last", "In other words");
  assert.equal(edited.out, "You said: In other words\n", edited.err);
  const again = await chat("show", "last");
  assert.doesNotMatch(again.out, /As lines/);
  assert.match((await chat("cost", "last")).out, /requests/);
  assert.equal((await chat("show", "0000")).code, 4);
});

const STORY = Array.from({ length: 60 }, (_, index) => `word${index}`).join(" ");
/** As far as a storyteller comes by itself. */
const HALF_BYTES = 3_000;

type AskedForStory = {
  readonly stream?: boolean;
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
};

/**
 * Asked to tell, it tells the story as far as the middle, and waits there. Asked by a server that took
 * over, it goes on where it was. All else it answers as usual.
 */
async function storyteller(): Promise<ScriptedModel> {
  const told = Promise.withResolvers<void>();
  const model = await startScriptedModel({
    script: ({ body }) => {
      const { stream, messages = [] } = JSON.parse(Buffer.from(body).toString()) as AskedForStory;
      const last = JSON.stringify(messages.at(-1)?.content);
      // Titles are asked for in one piece.
      if (stream !== true) return null;
      if (last.includes("The connection broke")) {
        const answers = messages.filter(({ role }) => role === "assistant");
        const said = JSON.stringify(answers).match(/word\d+/g) ?? [];
        return says(STORY.split(" ").slice(said.length).join(" "));
      }
      const pause = { afterBytes: HALF_BYTES, until: told.promise };
      return last.includes('"Tell"') ? says(STORY, { pause }) : null;
    },
  });
  return {
    ...model,
    [Symbol.asyncDispose]: async () => {
      told.resolve();
      await model[Symbol.asyncDispose]();
    },
  };
}

test("two terminals see one chat; work is stopped, and what waits is changed and taken up", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  const model = await storyteller();
  await using _world = await setUpChats(server, { token: machine.person.session, model });
  const chat = (...words: string[]) => machine.cli(server, ["chat", ...words]);
  const one = running(machine, server, ["chat", "new", "--title", "Story", "Tell"]);
  await one.until(() => one.seen.out.includes("word0"));
  const two = running(machine, server, ["chat", "attach", "last", "--follow"]);
  await two.until(() => two.seen.out.includes("word1 "));

  for (const text of ["Second", "Third", "Fourth"]) await chat("send", "last", "--detach", text);
  const listed = await chat("queue", "list", "last", "--json");
  const { queued_messages: queue } = JSON.parse(listed.out) as {
    readonly queued_messages: readonly { readonly id: number }[];
  };
  const [second, third, fourth] = queue.map(({ id }) => String(id));
  assert.ok(second !== undefined && third !== undefined && fourth !== undefined, listed.out);
  assert.equal((await chat("queue", "edit", "last", third, "Third, changed")).code, 0);
  assert.equal((await chat("queue", "delete", "last", second)).code, 0);
  assert.equal((await chat("queue", "move", "last", fourth, "1")).code, 0);
  assert.equal((await chat("interrupt", "last")).code, 0);

  assert.equal(await one.ended(), 0, one.seen.err);
  await two.until(() => two.seen.out.includes("You said: Third, changed"));
  for (const { out } of [one.seen, two.seen]) {
    const [story = "", ...answers] = out.trimEnd().split("\n");
    assert.ok(STORY.startsWith(story.trim()) && story.length < STORY.length, out);
    assert.deepEqual(answers, ["You said: Fourth", "You said: Third, changed"]);
  }
  two.interrupt();
  assert.equal(await two.ended(), 130);
  assert.match(two.seen.err, /The chat works on\. Go back to it: atelier chat attach/);
});

test("a server is killed in the middle of an answer: another goes on, and the terminal with it", async () => {
  await using database = await testDatabase();
  const options = {
    postgresUrl: database.url,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: Buffer.alloc(32, 7).toString("base64") },
  };
  await using one = await startRealServer(options);
  await using machine = await attachMachine(one);
  const model = await storyteller();
  await using _world = await setUpChats(one, { token: machine.person.session, model });
  await using address = await balancer(one);
  const server = { ...one, url: address.url };
  const terminal = running(machine, server, ["chat", "new", "Tell"]);
  await terminal.until(() => terminal.seen.out.includes("word3 "));
  await using two = await startRealServer(options);
  address.sendTo(two);
  one.child.kill("SIGKILL");
  assert.equal(await terminal.ended(), 0, terminal.seen.err);
  assert.deepEqual(terminal.seen.out.trim().split(/\s+/), STORY.split(" "));
  const shown = await machine.cli(two, ["chat", "show", "last"]);
  assert.deepEqual(shown.out.match(/word\d+/g), STORY.split(" "));
});
