/** A program of a workspace in the browser: beside its person's own page, and cut off from it. */
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";
import { attachMachine } from "./workspace-world.ts";

/** A port that is free now: the server's own addresses name it before it listens. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** Browsers take every name below `localhost` for this machine, without a DNS. */
async function startServer(
  postgresUrl: string,
  more: readonly string[] = [],
): Promise<RealServer & { readonly home: string }> {
  const port = await freePort();
  const home = `http://atelier.localhost:${port}`;
  const args = ["--http-address", `127.0.0.1:${port}`, "--access-url", home];
  const wildcard = ["--wildcard-access-url", `http://*.atelier.localhost:${port}`];
  const server = await startRealServer({ postgresUrl, args: [...args, ...wildcard, ...more] });
  return Object.assign(server, { home });
}

/** What it tries on the dashboard's origin, it writes down. */
function pageText(home: string): string {
  return `<!doctype html><html lang="en"><title>A program</title><h1>A program</h1>
<p id="path"></p><p id="echo">no echo</p><p id="read">reading</p><p id="left">not led away</p>
<script>
const say = (id, text) => { document.getElementById(id).textContent = text; };
say("path", "at " + location.pathname);
const socket = new WebSocket("ws://" + location.host + "/echo");
socket.onopen = () => socket.send("hi");
socket.onmessage = ({ data }) => say("echo", "echo of " + data);
socket.onclose = () => say("echo", "cut off");
const tries = [
  fetch("${home}/api/v2/users/me", { credentials: "include" }).then((answer) => answer.text()),
  fetch("${home}/api/v2/users/logout", { method: "POST", credentials: "include", mode: "no-cors" })
    .then(({ type }) => { if (type !== "opaque") throw new Error(type); return "unread"; }),
];
Promise.allSettled(tries).then(([read, out]) =>
  say("read", read.status + " " + out.status + " " + (document.cookie || "no cookie")));
try { if (top !== self) top.location = "${home}/login"; } catch { say("left", "kept here"); }
</script>`;
}

type Program = AsyncDisposable & {
  readonly server: Server;
  readonly port: number;
  readonly seen: IncomingHttpHeaders[];
};

async function startProgram(home: string): Promise<Program> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(headers);
    response.writeHead(200, { "content-type": "text/html", "x-frame-options": "SAMEORIGIN" });
    response.end(pageText(home));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, { headers }) => {
    seen.push(headers);
    socket.on("message", (data: Buffer) => socket.send(data.toString()));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    ...{ server, seen, port: (server.address() as AddressInfo).port },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

test(
  "a program is seen in a frame and in a tab, cannot act as its person, and is gone when they sign out",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startServer(database.url);
    await using machine = await attachMachine(server);
    await machine.until(server, "connected");
    await using program = await startProgram(server.home);
    await using world = await openBrowser(server.home);
    const { page, context, complaints } = world;
    // What the program's page tries is refused by the browser, which tells of it: that is meant.
    using _meant = {
      [Symbol.dispose]: () => {
        const others = complaints.filter((each) => !IS_MEANT.test(each));
        complaints.splice(0, complaints.length, ...others);
      },
    };
    const findings: string[] = [];
    await signIn(page, machine.person);
    await page.goto("/ann/dev");
    await page.getByRole("link", { name: "Ports", exact: true }).click();
    await page.getByRole("button", { name: `Preview port ${program.port}` }).waitFor();
    findings.push(...(await judgePage(page, "workspace-ports-previews")));

    await page.getByRole("button", { name: `Preview port ${program.port}` }).click();
    const frame = page.frameLocator(`iframe[title="Port ${program.port}"]`);
    await frame.getByText("echo of hi").waitFor();
    await frame.getByText("at /", { exact: true }).waitFor();
    // Reading is refused by the browser; what needs no reading is refused by the server.
    await frame.getByText("rejected fulfilled no cookie").waitFor();
    await frame.getByText("kept here").waitFor();
    await page.getByLabel(`Address on port ${program.port}`).fill("deep/er");
    await page.keyboard.press("Enter");
    await frame.getByText("at /deep/er").waitFor();
    await page.getByRole("button", { name: "Reload" }).click();
    await frame.getByText("echo of hi").waitFor();
    await page.getByRole("button", { name: /^Phone/ }).click();
    await frame.getByText("echo of hi").waitFor();
    findings.push(...(await judgePage(page, "workspace-preview")));

    const opened = context.waitForEvent("page");
    await page.getByRole("link", { name: "Open in a tab" }).click();
    const tab = await opened;
    await tab.getByText("echo of hi").waitFor();
    assert.match(tab.url(), new RegExp(`^http://${program.port}--main--dev--ann\\.atelier\\.`));
    assert.ok(program.seen.length > 0);
    const told = JSON.stringify(program.seen);
    for (const secret of ["atelier_preview", "coder_session_token", "atelier_csrf"]) {
      assert.equal(told.includes(secret), false, `the program was told ${secret}`);
    }
    // The person is signed in all the same: nothing that the page tried has signed them out.
    await page.getByRole("button", { name: "All ports" }).click();

    await server.api("POST", "/api/v2/users/logout", { token: await sessionOf(context) });
    await tab.getByText("cut off").waitFor();
    await tab.reload();
    await tab.getByLabel("Email").fill(machine.person.email);
    await tab.getByLabel("Password").fill(machine.person.password);
    await tab.keyboard.press("Enter");
    await tab.getByText("echo of hi").waitFor();

    program.server.closeAllConnections();
    program.server.close();
    await tab.reload();
    await tab.getByRole("heading", { name: `Nothing listens on port ${program.port}` }).waitFor();
    findings.push(...(await judgePage(tab, "preview-nobody-listens")));
    program.server.listen(program.port, "127.0.0.1");
    // Nobody reloads: the page looks again.
    await tab.getByText("echo of hi").waitFor();
    assert.deepEqual(findings, []);
  },
);

/** What the program's page tries, and browsers tell of. */
const IS_MEANT = /blocked by CORS policy|Unsafe attempt to initiate navigation|WebSocket/;

async function sessionOf(context: {
  cookies(): Promise<{ name: string; value: string }[]>;
}): Promise<string> {
  const cookies = await context.cookies();
  return cookies.find(({ name }) => name === "coder_session_token")?.value ?? assert.fail("none");
}

test("hosts of previews are no part of ours, whichever thread a request comes to", async () => {
  await using database = await testDatabase();
  await using server = await startServer(database.url, ["--gateway-workers", "2"]);
  await using machine = await attachMachine(server);
  await machine.until(server, "connected");
  await using program = await startProgram(server.home);
  const { port } = server;
  const ask = async (host: string, path: string, headers: Record<string, string> = {}) => {
    const asked = request({ port, host: "127.0.0.1", path, headers: { host, ...headers } }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    let text = "";
    for await (const part of answer.setEncoding("utf8")) text += String(part);
    return { status: answer.statusCode, headers: answer.headers, text };
  };
  const own = new URL(server.home).host;
  const paths = ["/", "/healthz", "/api/v2/buildinfo", "/api/v2/ai-gateway/openai/v1/models"];
  for (const path of paths) {
    const answer = await ask(`nobody.${own}`, path);
    assert.deepEqual([answer.status, answer.headers["x-atelier-preview-trouble"]], [404, "yes"]);
    const there = await ask(`${program.port}--dev--ann.${own}`, path);
    assert.equal(there.status, 401);
    const ours = await ask(own, path);
    assert.equal(ours.headers["x-atelier-preview-trouble"], undefined);
  }
  // All the way through a worker: the sign-in, the ticket, the page.
  const host = `${program.port}--dev--ann.${own}`;
  const start = await ask(host, "/", { accept: "text/html" });
  const cookie = `coder_session_token=${machine.person.session}`;
  const back = await ask(own, pathOf(start.headers.location), { cookie });
  const [text = ""] = start.headers["set-cookie"] ?? [];
  const entered = await ask(host, pathOf(back.headers.location), { cookie: pairOf(text) });
  const [pass = ""] = entered.headers["set-cookie"] ?? [];
  assert.match((await ask(host, "/", { cookie: pairOf(pass) })).text, /A program/);
});

function pathOf(url: string | undefined): string {
  const { pathname, search } = new URL(url ?? "");
  return pathname + search;
}

function pairOf(setCookie: string): string {
  return setCookie.split(";", 1)[0] ?? "";
}
