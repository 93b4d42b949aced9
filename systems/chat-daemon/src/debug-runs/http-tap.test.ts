/** What goes over HTTP is seen as it goes by, and goes by as if nobody looked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { ClientTap } from "./http-tap-io.ts";

const ASKED = { method: "POST", headers: { "x-api-key": "key-of-mine" }, body: "{}" };

test("an answer is handed on chunk by chunk, and is known when it is over", async () => {
  const tap = new ClientTap(systemClock);
  const source = new TransformStream<Uint8Array, Uint8Array>();
  const fetch = tap.recordHttp(
    async () => new Response(source.readable, { status: 201, headers: { "x-id": "7" } }),
    [new Secret("Bearer another-key")],
  );
  const response = await fetch("https://host/v1?key=in-query", ASKED);
  assert.deepEqual([response.status, response.headers.get("x-id")], [201, "7"]);
  const reader = response.body?.getReader();
  const writer = source.writable.getWriter();
  const first = reader?.read();
  await writer.write(new TextEncoder().encode("one "));
  assert.equal(new TextDecoder().decode((await first)?.value), "one ");
  const second = reader?.read();
  await writer.write(new TextEncoder().encode("two"));
  await second;
  const end = reader?.read();
  await writer.close();
  assert.equal((await end)?.done, true);
  const [seen, none] = tap.take();
  assert.equal(none, undefined);
  assert.equal(seen?.answer?.body, "one two");
  assert.equal(seen?.requestHeaders["x-api-key"], "[redacted]");
  assert.equal(seen?.url, "https://host/v1?key=%5Bredacted%5D");
  assert.deepEqual([...tap.credentials], ["another-key", "in-query", "key-of-mine"]);
  assert.deepEqual(tap.take(), [], "each is told once");
});

test("a request that fails fails as it did, and so does an answer that breaks", async () => {
  const tap = new ClientTap(systemClock);
  const refused = new Error("connection refused");
  const failing = tap.recordHttp(() => Promise.reject(refused), []);
  await assert.rejects(failing("https://host/", ASKED), refused);
  const broken = new Error("broken");
  const body = new ReadableStream({ pull: (controller) => controller.error(broken) });
  const breaking = tap.recordHttp(async () => new Response(body), []);
  const response = await breaking("https://host/", ASKED);
  await assert.rejects(response.text(), broken);
  assert.deepEqual(
    tap.take().map(({ error, answer }) => [error, answer?.status ?? null]),
    [
      ["connection refused", null],
      ["broken", 200],
    ],
  );
});

test("who lets go of an answer lets go of the provider too, and of a long one both ends are kept", async () => {
  const tap = new ClientTap(systemClock);
  let cancelled: unknown = null;
  let count = 0;
  const body = new ReadableStream({
    pull: (controller) =>
      controller.enqueue(new TextEncoder().encode(`${(count += 1)},`.repeat(999))),
    cancel: (reason) => {
      cancelled = reason;
    },
  });
  const fetch = tap.recordHttp(async () => new Response(body), []);
  const reader = (await fetch("https://host/", ASKED)).body?.getReader();
  for (let chunk = 0; chunk < 500; chunk += 1) await reader?.read();
  await reader?.cancel("enough");
  assert.equal(cancelled, "enough");
  const [seen] = tap.take();
  const text = seen?.answer?.body ?? "";
  assert.match(text.slice(0, 10), /^1,1,/);
  assert.match(text, /\[\d+ bytes left out\]/);
  assert.match(text.slice(-10), /,500,$/);
  assert(text.length < 300_000);
  assert.equal(seen?.error, "Nobody read it to the end.");
});

test("no half of a key is kept where a body is cut, of a request or of an answer", async () => {
  const tap = new ClientTap(systemClock);
  const long = "x".repeat(128 * 1024 - 5);
  const [before, after] = ["a".repeat(96 * 1024 - 9), "b".repeat(96 * 1024 - 1)];
  // Of the key of 11 letters the first nine are the last of the beginning, and the last is the first of the end.
  const answer = `${before}key-of-mine and key-of-mine${after}`;
  const fetch = tap.recordHttp(async () => new Response(answer), []);
  await (await fetch("https://host/", { ...ASKED, body: `${long}key-of-mine` })).text();
  const [seen] = tap.take();
  assert.match(seen?.requestBody ?? "", /x\[reda… \[/);
  assert.match(seen?.answer?.body ?? "", /a\[redacted\]\n\[\d+ bytes left out\]\n/);
  assert.ok(!/key-of/.test(`${seen?.requestBody} ${seen?.answer?.body}`));
});
