/** From a fresh server to a signed-in person, in a browser; and what the server sends it. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { makeLocalCertificate } from "@atelier/testkit/local-certificate";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { buildDashboard, DASHBOARD_DIST } from "../../tools/dashboard-build.ts";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";

const SHELL_BYTES_MAX = 180_000;

test("what every visit loads is at most 180 kB", async () => {
  await buildDashboard();
  const page = readFileSync(join(DASHBOARD_DIST, "index.html"), "utf8");
  const files = [...page.matchAll(/assets\/[\w.-]+\.(?:js|css)/g)].map(([file]) => file);
  assert.ok(files.length >= 2);
  const packed = files.map((file) => gzipSync(readFileSync(join(DASHBOARD_DIST, file))).length);
  const bytes = packed.reduce((sum, each) => sum + each, 0);
  assert.ok(bytes <= SHELL_BYTES_MAX, `${bytes} bytes`);
});

test("files are sent packed, typed and for ever; the page is sent for each address", async () => {
  await buildDashboard();
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  const script = readdirSync(join(DASHBOARD_DIST, "assets")).find((name) =>
    name.endsWith(".js.br"),
  );
  const path = `/assets/${script?.replace(".br", "")}`;
  const get = (url: string, headers: Record<string, string>) =>
    fetch(server.url + url, { headers, redirect: "manual" });

  for (const [accepted, encoding] of [
    ["gzip, br", "br"],
    ["gzip", "gzip"],
    ["br;q=0, identity", null],
  ] as const) {
    const answer = await get(path, { "accept-encoding": accepted });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-encoding"), encoding);
    assert.equal(answer.headers.get("content-type"), "text/javascript; charset=utf-8");
    assert.equal(answer.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.deepEqual(
      Buffer.from(await answer.arrayBuffer()),
      readFileSync(join(DASHBOARD_DIST, path)),
    );
    const etag = answer.headers.get("etag") ?? "";
    assert.equal((await get(path, { "if-none-match": etag })).status, 304);
  }

  const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  for (const [address, base] of [
    ["/", "./"],
    ["/workspaces", "./"],
    ["/ann/dev/terminal?x=1", "../../"],
  ] as const) {
    const answer = await get(address, browser);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), new RegExp(`<base href="${base}">`));
    const policy = answer.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'; script-src 'self';/);
    assert.equal(answer.headers.get("x-frame-options"), "DENY");
    assert.equal(answer.headers.get("cache-control"), "no-cache");
  }

  // What is not for browsers stays what it was, also for browsers.
  const health = await get("/healthz", browser);
  assert.deepEqual([health.status, await health.text()], [200, "OK"]);
  assert.equal((await get("/api/v2/nonsense", browser)).status, 404);
  assert.equal((await get("/v1/models", { accept: "application/json" })).status, 404);
  assert.equal((await get("/assets/../index.html", { accept: "*/*" })).status, 404);
  assert.match(await (await get("/", { accept: "*/*" })).text(), /Atelier .* is running/);
});

test(
  "a fresh server sets itself up and lets its owner in, out, and in again",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    await using world = await openBrowser(server.url);
    const { page } = world;
    await page.goto("/workspaces?q=status:connected");
    await page.getByRole("heading", { name: "Set up Atelier" }).waitFor();
    const findings = await judgePage(page, "setup");

    // What is wrong is said at the field, and what was typed stays.
    await page.getByLabel("Email").fill("ann@example.com");
    await page.getByLabel("Username").fill("ann b");
    await page.getByLabel("Password").fill("short");
    const create = page.getByRole("button", { name: "Create the owner's account" });
    await create.click();
    await page.getByText("Letters and digits, with single hyphens between them.").first().waitFor();
    assert.equal(await page.getByLabel("Username").getAttribute("aria-invalid"), "true");
    findings.push(...(await judgePage(page, "setup-refused")));
    await page.getByLabel("Username").fill("ann");
    await page.reload();
    assert.equal(await page.getByLabel("Email").inputValue(), "ann@example.com");
    assert.equal(await page.getByLabel("Password").inputValue(), "", "secrets are not kept");
    await page.getByLabel("Password").fill("correct-horse-battery-9");
    await create.click();
    await page.getByRole("heading", { name: "Hello, ann" }).waitFor();
    findings.push(...(await judgePage(page, "home-fresh")));

    // Out by the palette, and in again to the page that was asked for.
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find a page or an action" }).fill("sign out");
    findings.push(...(await judgePage(page, "palette")));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    findings.push(...(await judgePage(page, "login")));
    await page.goto("/nowhere/in/particular?x=1");
    await page.getByLabel("Email").fill("ann@example.com");
    await page.getByLabel("Password").fill("not the password");
    await page.keyboard.press("Enter");
    await page.getByText("Incorrect email or password.").waitFor();
    await page.getByText("Request id").waitFor();
    assert.equal(await page.getByLabel("Email").inputValue(), "ann@example.com");
    await page.getByLabel("Password").fill("correct-horse-battery-9");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "No such page" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/nowhere/in/particular");
    findings.push(...(await judgePage(page, "unknown-page")));

    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    findings.push(...(await judgePage(page, "keyboard-help")));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.getByRole("heading", { name: "Hello, ann" }).waitFor();
    assert.deepEqual(findings, []);
  },
);

type Proxy = AsyncDisposable & {
  readonly url: string;
  leadTo(target: string): void;
};

/** A proxy with TLS that serves a server below `/atelier/`, and takes that away on the way there. */
async function startProxy(): Promise<Proxy> {
  let target = "";
  const proxy = createServer(makeLocalCertificate(), (incoming, outgoing) => {
    const { url = "/", method, headers } = incoming;
    if (!url.startsWith("/atelier/")) {
      outgoing.writeHead(404).end("another service");
      return;
    }
    const path = url.slice("/atelier".length);
    const onward = request(`${target}${path}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    leadTo: (server) => {
      target = server;
    },
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, "close");
    },
  };
}

test(
  "behind a proxy with TLS, below a path that the server knows nothing of, all is the same",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using proxy = await startProxy();
    await using server = await startRealServer({
      postgresUrl: database.url,
      args: ["--access-url", proxy.url],
    });
    proxy.leadTo(server.url);
    const person = await setUpFirstUser(server);
    await using world = await openBrowser(`${proxy.url}/atelier/`, ["--ignore-certificate-errors"]);
    const { page } = world;
    await signIn(page, person);
    assert.equal(new URL(page.url()).pathname, "/atelier/");
    await page.getByRole("link", { name: "Connect a client" }).click();
    await page.getByText("Nothing to connect to yet").waitFor();
    assert.equal(new URL(page.url()).pathname, "/atelier/ai/connect");
    await page.reload();
    await page.getByText("Nothing to connect to yet").waitFor();
    await page.goto("ai/settings/models/new");
    await page.getByRole("heading", { name: "Add a model" }).waitFor();
    await page.goto("ai/usage");
    const file = page.getByRole("link", { name: "Download as CSV" });
    assert.match((await file.getAttribute("href")) ?? "", /\/atelier\/api\/v2\/.*usage\.csv\?/);
    await page.goto("settings/account");
    await page.getByRole("heading", { name: "Account", exact: true }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.getByRole("heading", { name: "Hello, ann" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/atelier/");

    // No page of a neighbouring host can have set these, and one that sets others changes nothing.
    const names = (await world.context.cookies()).map(({ name }) => name);
    assert.deepEqual(names.toSorted(), ["__Host-atelier_csrf", "__Host-coder_session_token"]);
    const { hostname: domain } = new URL(proxy.url);
    for (const name of ["coder_session_token", "atelier_csrf"]) {
      await world.context.addCookies([{ name, value: "another-s", domain, path: "/" }]);
    }
    await page.reload();
    await page.getByRole("heading", { name: "Hello, ann" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find a page or an action" }).fill("sign out");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    const left = (await world.context.cookies()).map(({ name }) => name);
    assert.deepEqual(left.toSorted(), ["atelier_csrf", "coder_session_token"]);
  },
);
