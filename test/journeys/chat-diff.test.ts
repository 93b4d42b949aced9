/** What a chat changes in a real workspace, as lists, the API and the terminal tell it, on two servers. */
import type { Chat } from "@atelier/contract/http/chats";
import type { RealServer } from "@atelier/testkit/real-server";
import { calls, says } from "@atelier/testkit/scripted-model-reply";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { WebSocket } from "ws";
import { startActingModel } from "./acting-model.ts";
import { setUpChats, type ChatPerson } from "./chat-world.ts";
import { startTwoServers } from "./two-server-world.ts";
import { commitFirst } from "./workspace-git.ts";
import { attachMachine } from "./workspace-world.ts";

const WITHIN_MS = 60_000;
const COMMIT = "git -c user.name=a -c user.email=a@example.com commit -qam second";

/** Lasts until the test lets it go on. */
const UNTIL_GO = "until [ -e ~/go ]; do sleep 0.05; done";

type News = { readonly kind: string; readonly chat: Chat };

/** What a list of chats is told on this server, from now on. */
async function watchChats(server: RealServer, { token }: ChatPerson) {
  const url = `${server.url.replace(/^http/, "ws")}/api/v2/chats/watch`;
  const socket = new WebSocket(url, { headers: { "coder-session-token": token } });
  const told: News[] = [];
  let wake = (): void => {};
  socket.on("message", (data: Buffer) => {
    told.push(JSON.parse(data.toString("utf8")) as News);
    wake();
  });
  await once(socket, "open");
  const until = async (is: (news: News) => boolean, what: string): Promise<News> => {
    const late = setTimeout(() => wake(), WITHIN_MS);
    const startedMs = performance.now();
    try {
      for (;;) {
        const news = told.find(is);
        if (news !== undefined) return news;
        const kinds = told.map(({ kind, chat }) => `${kind} ${JSON.stringify(chat?.diff_status)}`);
        assert.ok(performance.now() - startedMs < WITHIN_MS, `${what}; told: ${kinds.join(", ")}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      clearTimeout(late);
    }
  };
  await until(({ kind }) => kind === "ready", "it is ready");
  return { told, until, [Symbol.dispose]: () => socket.terminate() };
}

function countsOf({ diff_status: status }: Chat): readonly unknown[] {
  return [status?.additions, status?.deletions, status?.changed_files];
}

test("what a chat edits, commits and adds is told to lists on every server, and shown as a diff", async () => {
  await using servers = await startTwoServers();
  const { one, two } = servers;
  await using machine = await attachMachine(one);
  await machine.until(one, "connected");
  const app = join(machine.home, "app");
  mkdirSync(app);
  writeFileSync(join(app, "list.txt"), "one\ntwo\nthree\n");
  commitFirst(app);
  await using model = await startActingModel();
  model.acts.push({
    to: "Count further",
    steps: [
      calls("execute", { command: `cd ~/app && echo four >> list.txt && ${COMMIT}` }, "call_1"),
      calls("write_file", { path: "~/app/new.txt", content: "a\nb\n" }, "call_2"),
      calls(
        "execute",
        { command: `${UNTIL_GO} && cd ~/app && sed -i s/one/ONE/ list.txt`, timeout: "4m" },
        "call_3",
      ),
      says("It counts further."),
    ],
  });
  await using world = await setUpChats(one, { token: machine.person.session, model });
  const { person } = world;
  const { body: workspace } = await person.call(one, "GET", "/api/v2/users/me/workspace/dev");
  using here = await watchChats(one, person);
  using there = await watchChats(two, person);
  const { id } = await person.create(two, "Count further", { workspace_id: workspace.id });

  // What it does is told while it does it, and so is what it has changed by then.
  for (const watch of [here, there]) {
    const isAt = ({ kind, chat }: News) =>
      kind === "action_change" && chat.last_action?.subject.startsWith(UNTIL_GO) === true;
    await watch.until(isAt, "what it does is told");
    await watch.until(({ chat }) => chat?.diff_status?.additions === 3, "three lines are told");
  }
  writeFileSync(join(machine.home, "go"), "");
  const wanted = [4, 1, 2];
  for (const watch of [here, there]) {
    const isWanted = ({ kind, chat }: News) =>
      kind === "diff_status_change" && countsOf(chat).join() === wanted.join();
    const { chat } = await watch.until(isWanted, "all is told");
    assert.equal(chat.diff_status?.git_branch, "main");
    assert.equal(chat.diff_status.repositories, 1);
  }
  const { body: shown } = await person.call(two, "GET", `/api/v2/chats/${id}`);
  assert.deepEqual(countsOf(shown), wanted);

  // The server to which the machine is not linked answers alike.
  const { status, body } = await person.call(two, "GET", `/api/v2/chats/${id}/diff`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.branch, "main");
  assert.match(body.diff, /^\+four$/m);
  assert.match(body.diff, /^-one\n\+ONE$/m);
  assert.match(body.diff, /^\+\+\+ b\/new\.txt\n@@ -0,0 \+1,2 @@\n\+a\n\+b$/m);
  assert.deepEqual(
    body.repositories[0].files.map((file: { readonly path: string }) => file.path),
    ["list.txt", "new.txt"],
  );
  const cut = await person.call(two, "GET", `/api/v2/chats/${id}/diff?bytes_max=60`);
  assert.ok(cut.body.is_cut && cut.body.diff.length <= 60 && body.diff.startsWith(cut.body.diff));

  const cli = (...words: string[]) => machine.cli(two, ["chat", ...words]);
  const printed = await cli("diff", id);
  assert.deepEqual([printed.code, printed.out], [0, body.diff], printed.err);
  const stat = await cli("diff", id, "--stat");
  assert.match(stat.out, /list\.txt +2 +1\nnew\.txt +2 +0\n2 files changed, \+4 −1\n$/);
  const json = JSON.parse((await cli("diff", id, "--json")).out);
  assert.equal(json.diff, body.diff);
  assert.match((await cli("list")).out, /\+4 −1/);
  assert.match((await cli("show", id)).out, /Changes +\+4 −1 in 2 files\nBranch +main/);

  // In a second repository: the sum of both, and each path says where it is.
  model.acts.push({
    to: "Another one",
    steps: [
      calls("execute", { command: "git init -q ~/second && echo 1 > ~/second/file" }, "call_4"),
      says("There are two."),
    ],
  });
  await person.send(one, id, "Another one");
  const isBoth = ({ chat }: News) => chat?.diff_status?.repositories === 2;
  const both = await here.until(isBoth, "both repositories are counted");
  assert.deepEqual(countsOf(both.chat), [5, 1, 3]);
  const { body: ofBoth } = await person.call(one, "GET", `/api/v2/chats/${id}/diff`);
  assert.match(ofBoth.diff, /^\+\+\+ b\/app\/list\.txt$/m);
  assert.match(ofBoth.diff, /^\+\+\+ b\/second\/file$/m);
});

test("without a repository, a machine or a workspace there are no numbers, and turns go on", async () => {
  await using servers = await startTwoServers();
  const { one } = servers;
  await using machine = await attachMachine(one);
  await machine.until(one, "connected");
  await using model = await startActingModel();
  model.acts.push({
    to: "Write it down",
    steps: [
      calls("write_file", { path: "~/notes.txt", content: "a\n" }, "call_1"),
      says("It is written."),
    ],
  });
  await using world = await setUpChats(one, { token: machine.person.session, model });
  const { person } = world;
  const { body: workspace } = await person.call(one, "GET", "/api/v2/users/me/workspace/dev");
  const answered = async (text: string, more: object): Promise<Chat> => {
    using watch = await watchChats(one, person);
    const { id } = await person.create(one, text, more);
    const isDone = ({ chat }: News) => chat?.id === id && chat.status === "waiting";
    await watch.until(isDone, `${text}: answered`);
    return (await person.call(one, "GET", `/api/v2/chats/${id}`)).body as Chat;
  };
  const diffOf = (id: string) => person.call(one, "GET", `/api/v2/chats/${id}/diff`);

  const bare = await answered("Say something", {});
  assert.equal(bare.diff_status, undefined);
  const without = await diffOf(bare.id);
  assert.deepEqual([without.status, without.body.code], [409, "chat.workspace_missing"]);

  const plain = await answered("Write it down", { workspace_id: workspace.id });
  assert.equal(plain.diff_status, undefined);
  const none = await diffOf(plain.id);
  assert.deepEqual([none.status, none.body.diff, none.body.repositories], [200, "", []]);

  const agent = machine.agent();
  agent.kill("SIGKILL");
  await once(agent, "exit");
  await machine.until(one, "disconnected");
  const away = await answered("Say something else", { workspace_id: workspace.id });
  assert.equal(away.diff_status, undefined);
  const gone = await diffOf(away.id);
  assert.deepEqual([gone.status, gone.body.code], [409, "workspace_agent.disconnected"]);
  const printed = await machine.cli(one, ["chat", "diff", away.id]);
  assert.notEqual(printed.code, 0);
  assert.match(printed.err, /not connected/);
  rmSync(join(machine.home, "notes.txt"));

  const deleted = await person.call(one, "DELETE", `/api/v2/workspaces/${workspace.id}`);
  assert.equal(deleted.status, 204, JSON.stringify(deleted.body));
  assert.equal((await diffOf(away.id)).body.code, "chat.workspace_missing");
});
