/** What browsers see of a workspace by plain HTTP and WebSockets, on a really attached machine. */
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { WebSocket } from "ws";
import { git } from "./workspace-git.ts";
import { attachMachine, type Attached } from "./workspace-world.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- Tests look into answers of many shapes.
type Json = any;

/** One machine for all: attaching one takes longer than asking it. */
async function withMachine(
  work: (world: {
    readonly server: RealServer;
    readonly machine: Attached;
    readonly get: (path: string) => Promise<{ readonly status: number; readonly body: Json }>;
    readonly raw: (path: string, method?: string) => Promise<Response>;
    readonly socket: (path: string) => TestSocket;
  }) => Promise<void>,
): Promise<void> {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  const headers = { "coder-session-token": machine.person.token };
  const base = `/api/v2/workspaceagents/${machine.agentId}`;
  await work({
    ...{ server, machine },
    get: (path) => server.api("GET", base + path, { token: machine.person.token }),
    raw: (path, method = "GET") => fetch(server.url + base + path, { method, headers }),
    socket: (path) =>
      listen(new WebSocket(server.url.replace("http", "ws") + base + path, { headers })),
  });
}

type TestSocket = {
  readonly messages: Json[];
  /** Resolves with the first message, heard or to come, that this holds of. */
  until(holds: (message: Json) => boolean): Promise<Json>;
  readonly closed: Promise<number>;
  close(): void;
};

function listen(socket: WebSocket): TestSocket {
  const messages: Json[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (bytes: Buffer) => {
    messages.push(JSON.parse(bytes.toString()));
    for (const wake of waiting) wake();
  });
  const closed = once(socket, "close").then(([code]) => code as number);
  return {
    messages,
    closed,
    close: () => socket.close(),
    until: async (holds) => {
      for (;;) {
        const found = messages.find(holds);
        if (found !== undefined) return found;
        const woken = Promise.withResolvers<void>();
        waiting.add(woken.resolve);
        await woken.promise;
        waiting.delete(woken.resolve);
      }
    },
  };
}

test("files are listed, read within limits, and downloaded as they are", async () => {
  await withMachine(async ({ machine: { home }, get, raw }) => {
    mkdirSync(join(home, "src"));
    writeFileSync(join(home, "a.txt"), "one\ntwö\n");
    writeFileSync(join(home, "b.bin"), Buffer.from([1, 0, 2]));
    writeFileSync(join(home, "c.txt"), "é".repeat(700_000));
    writeFileSync(join(home, "pic.png"), "<script>alert(1)</script>");
    symlinkSync("a.txt", join(home, "link"));

    const listed = await get("/files");
    assert.equal(listed.status, 200, JSON.stringify(listed.body));
    assert.equal(listed.body.path, home);
    const kinds = listed.body.files.map((each: Json) => `${each.kind} ${each.name}`);
    assert.deepEqual(
      kinds.filter((each: string) => !each.includes(".state")),
      ["directory src", "file a.txt", "file b.bin", "file c.txt", "symlink link", "file pic.png"],
    );
    const first = await get("/files?path=~&limit=1");
    const next = await get(`/files?path=~/&limit=1&after=${encodeURIComponent(first.body.next)}`);
    assert.notEqual(next.body.files[0].name, first.body.files[0].name);

    const text = async (name: string) =>
      (await get(`/files/text?path=${encodeURIComponent(join(home, name))}`)).body;
    assert.equal((await text("a.txt")).text, "one\ntwö\n");
    assert.equal((await text("link")).text, "one\ntwö\n");
    assert.equal((await text("b.bin")).text, null);
    const cut = await text("c.txt");
    assert.equal(cut.is_cut, true);
    assert.match(cut.text, /^é+$/);
    assert.equal(Buffer.byteLength(cut.text), 1_048_576);

    const picture = await raw(`/files/content?path=~/pic.png`);
    assert.equal(picture.headers.get("content-type"), "image/png");
    assert.equal(picture.headers.get("x-content-type-options"), "nosniff");
    assert.match(picture.headers.get("content-security-policy") ?? "", /sandbox/);
    await picture.body?.cancel();
    writeFileSync(join(home, 'odd "name"\n.html'), "<script>alert(1)</script>");
    const odd = await raw(`/files/content?path=${encodeURIComponent('~/odd "name"\n.html')}`);
    assert.equal(odd.headers.get("content-type"), "application/octet-stream");
    assert.equal(
      odd.headers.get("content-disposition"),
      `attachment; filename="odd _name__.html"; filename*=UTF-8''odd%20%22name%22%0A.html`,
    );
    assert.equal(await odd.text(), "<script>alert(1)</script>");
    assert.equal(odd.headers.get("set-cookie"), null);
  });
});

test("downloads of any size arrive whole, and too large ones are refused with a way out", async () => {
  await withMachine(async ({ machine: { home }, get, raw }) => {
    const bytes = randomBytes(40 * 1024 * 1024);
    writeFileSync(join(home, "big"), bytes);
    const head = await raw("/files/content?path=~/big", "HEAD");
    assert.deepEqual(
      [head.status, head.headers.get("content-length")],
      [200, `${bytes.byteLength}`],
    );
    const answer = await raw("/files/content?path=~/big");
    const hash = createHash("sha256");
    let slowly = 0;
    for await (const part of answer.body ?? []) {
      hash.update(part);
      // Whoever reads slowly gets all of it too.
      if ((slowly += 1) % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"));
    // A reader who leaves in the middle leaves nothing behind that would break the next one.
    const left = await raw("/files/content?path=~/big");
    await left.body?.cancel();
    writeFileSync(join(home, "huge"), "");
    truncateSync(join(home, "huge"), 1024 * 1024 * 1024 + 1);
    const refused = await get("/files/content?path=~/huge");
    assert.deepEqual([refused.status, refused.body.code], [413, "workspace_file.too_large"]);
  });
});

test("paths that make no sense get clean answers", async () => {
  await withMachine(async ({ machine: { home }, get }) => {
    mkdirSync(join(home, "locked"), { mode: 0 });
    for (const [path, status, code] of [
      ["/files?path=relative", 400, "request.invalid"],
      ["/files?path=~ann", 400, "request.invalid"],
      ["/files?path=/%00", 400, "request.invalid"],
      ["/files?limit=0", 400, "request.invalid"],
      ["/files?odd=1", 400, "request.invalid"],
      ["/files?path=~/none", 404, "resource.not_found"],
      ["/files/text", 400, "request.invalid"],
      ["/files/text?path=~/none", 404, "resource.not_found"],
      ["/files/text?path=~", 422, "workspace_agent.refused"],
      ["/files/content?path=~", 422, "workspace_agent.refused"],
      ["/files/content?path=/dev/zero", 422, "workspace_agent.refused"],
      ["/git/state", 404, "resource.not_found"],
      ["/git/diff?bytes_max=0", 400, "request.invalid"],
      ["/processes/..", 404, "request.route_unknown"],
      ["/processes/A_B/output", 400, "request.invalid"],
      ["/processes/none/output", 404, "resource.not_found"],
    ] as const) {
      const answer = await get(path);
      assert.deepEqual([answer.status, answer.body.code], [status, code], path);
      if (status === 422 || (status === 404 && code === "resource.not_found")) {
        assert.equal(typeof answer.body.detail, "string", path);
      }
    }
  });
});

test("a repository tells of its changes as they are made", async () => {
  await withMachine(async ({ machine: { home }, get, socket }) => {
    for (const name of ["one", "two"]) {
      mkdirSync(join(home, name));
      git(join(home, name), "init", "-q", "-b", "main");
    }
    const file = join(home, "one", "a.txt");
    writeFileSync(file, "a\nb\n");
    git(join(home, "one"), "add", ".");
    git(join(home, "one"), "commit", "-q", "-m", "first");

    const found = await get("/git/repositories");
    const roots = found.body.repositories.map(({ root }: Json) => root);
    assert.deepEqual(roots, [join(home, "one"), join(home, "two")]);
    const inside = await get(`/git/repositories?path=${home}/one`);
    assert.deepEqual(inside.body.repositories, [{ root: join(home, "one") }]);

    const watching = socket("/git/watch?path=~/one");
    await watching.until(({ type, data }) => type === "data" && data.files.length === 0);
    writeFileSync(file, "a\nc\nd\n");
    const changed = await watching.until(({ data }) => data.files?.length === 1);
    assert.deepEqual(
      { ...changed.data.files[0] },
      { path: "a.txt", status: " M", from: null, added: 2, removed: 1, is_binary: false },
    );
    watching.close();
    assert.equal((await get("/git/state?path=~/one")).body.branch, "main");
    const { body } = await get("/git/diff?path=~/one");
    assert.equal(body.is_cut, false);
    assert.match(body.diff, /^\+c$/m);
    const cut = await get("/git/diff?path=~/one&bytes_max=60");
    assert.equal(cut.body.is_cut, true);
    assert.ok(cut.body.diff.length <= 60);

    const nowhere = socket("/git/watch?path=/");
    assert.equal(await nowhere.closed, 1000);
    assert.equal(nowhere.messages[0].data.code, "resource.not_found");
  });
});

test("processes are listed, followed without gaps, and killed, which the audit log keeps", async () => {
  await withMachine(async ({ server, machine, get, socket }) => {
    const script = "i=0; while true; do i=$((i+1)); echo line $i ü; sleep 0.05; done";
    const running = machine.start(server, ["exec", "dev", "--", "sh", "-c", script]);
    running.stdin?.end();
    let process: Json;
    while (process === undefined) process = (await get("/processes")).body.processes[0];
    assert.equal(process.state, "running");
    assert.match(process.command, /while true/);

    const path = `/processes/${process.id}/follow`;
    const follower = socket(path);
    const joined = (from: TestSocket): string =>
      from.messages.map(({ data }) => data.text).join("");
    await follower.until(() => joined(follower).includes("line 5 ü\n"));
    const { to } = follower.messages.at(-1).data;
    follower.close();
    const later = socket(`${path}?offset=${to}`);
    await later.until(() => /line \d+ ü\n/.test(joined(later)));
    assert.equal(later.messages[0].data.from, to);

    const order = { token: machine.person.token, body: { signal: "SIGKILL" } };
    const kill = `/api/v2/workspaceagents/${machine.agentId}/processes/${process.id}/signal`;
    assert.equal(
      (await server.api("POST", kill, { ...order, body: { signal: "SIGSTOP" } })).status,
      400,
    );
    const killed = await server.api("POST", kill, order);
    assert.equal(killed.status, 200, JSON.stringify(killed.body));
    assert.equal(await later.closed, 1000);
    const lines = (joined(follower) + joined(later)).split("\n").filter((line) => line !== "");
    // What came between the two is told once, and nothing twice.
    const numbers = lines.map((line) => Number(/^line (\d+) ü$/.exec(line)?.[1]));
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, index) => index + 1),
    );

    const output = await get(`/processes/${process.id}/output?bytes_max=20`);
    assert.match(output.body.head, /^line 1 /);
    assert.ok(output.body.omitted_bytes > 0);
    const ended = (await get("/processes")).body.processes[0];
    assert.deepEqual([ended.state, ended.signal], ["exited", "SIGKILL"]);

    const log = await server.api("GET", "/api/v2/audit?q=resource_type:workspace_process", {
      token: order.token,
    });
    const [entry] = log.body.audit_logs;
    assert.deepEqual(
      [entry.action, entry.resource_target, entry.status_code, entry.additional_fields.signal],
      ["write", "ann/dev", 200, "SIGKILL"],
    );
    assert.ok(!JSON.stringify(entry).includes("while true"), "commands may hold secrets");
  });
});

test("ports and use of the machine are told as they change", async () => {
  await withMachine(async ({ get, socket }) => {
    const ports = socket("/listening-ports/watch");
    await ports.until(({ type }) => type === "data");
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const seen = await ports.until(({ data }) =>
      data.ports?.some((each: Json) => each.port === port),
    );
    assert.equal(seen.data.ports.find((each: Json) => each.port === port).network, "tcp");
    listener.close();
    ports.close();

    const stats = (await get("/stats")).body;
    assert.ok(stats.cpu_cores > 0 && stats.memory_bytes_used < stats.memory_bytes);
    const watching = socket("/stats/watch");
    await watching.until(() => watching.messages.length === 2);
    watching.close();
  });
});

test("terminals are listed and ended", async () => {
  await withMachine(async ({ server, machine, get }) => {
    const id = "11111111-1111-4111-8111-111111111111";
    const terminal = new WebSocket(
      `${server.url.replace("http", "ws")}/api/v2/workspaceagents/${machine.agentId}/pty?reconnect=${id}&command=cat`,
      { headers: { "coder-session-token": machine.person.token } },
    );
    const closed = once(terminal, "close");
    let listed: Json[] = [];
    while (listed.length === 0) listed = (await get("/terminals")).body.terminals;
    assert.deepEqual([listed[0].id, listed[0].command, listed[0].state], [id, "cat", "running"]);
    const path = `/api/v2/workspaceagents/${machine.agentId}/terminals/${id}`;
    const asPerson = { token: machine.person.token };
    assert.equal((await server.api("DELETE", path, asPerson)).status, 204);
    assert.equal(((await closed) as [number])[0], 1000);
  });
});
