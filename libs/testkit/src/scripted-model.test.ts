import assert from "node:assert/strict";
import { test } from "node:test";
import {
  observeBody,
  type ObservedResponse,
  observeStream,
} from "@atelier/model-wire/observe-response";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { FakeClock } from "./fake-clock.ts";
import { type ScriptedModel, startScriptedModel } from "./scripted-model.ts";
import {
  calls,
  halfUtf8,
  hang,
  html,
  json,
  raw,
  reset,
  says,
  sse,
  throttles,
} from "./scripted-model-reply.ts";

const PATHS: Record<WireFormat, string> = {
  chat_completions: "/v1/chat/completions",
  responses: "/v1/responses",
  messages: "/v1/messages",
};
const FORMATS = Object.keys(PATHS) as WireFormat[]; // The keys of PATHS are the formats.

function user(format: WireFormat, content: unknown): Record<string, unknown> {
  const turns = [{ role: "user", content }];
  return format === "responses" ? { input: turns } : { messages: turns };
}

function post(model: ScriptedModel, format: WireFormat, body: unknown): Promise<Response> {
  return fetch(model.url + PATHS[format], { method: "POST", body: JSON.stringify(body) });
}

async function ask(
  model: ScriptedModel,
  format: WireFormat,
  body: Record<string, unknown>,
): Promise<{ seen: ObservedResponse; text: string }> {
  const answer = await post(model, format, { model: "m", ...body });
  assert.equal(answer.status, 200);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  if (body["stream"] !== true) return { seen: observeBody(format, bytes), text };
  const observer = observeStream(format);
  observer.push(bytes);
  return { seen: observer.end(), text };
}

const TOOLS: Record<WireFormat, unknown[]> = {
  chat_completions: [{ type: "function", function: { name: "read" } }],
  responses: [
    { type: "function", name: "read" },
    { type: "custom", name: "patch" },
  ],
  messages: [{ name: "read", input_schema: {} }],
};

for (const format of FORMATS) {
  for (const stream of [false, true]) {
    const mode = `${format}, ${stream ? "streaming" : "blocking"}`;

    test(`${mode}: it repeats what it was told and counts tokens`, async () => {
      await using model = await startScriptedModel();
      const usage = { stream_options: { include_usage: true } };
      const { seen, text } = await ask(model, format, {
        stream,
        ...usage,
        ...user(format, "Hello there"),
      });
      assert.equal(seen.outcome, "completed");
      assert.equal(seen.model, "m");
      assert.ok(seen.tokens !== null && 0 < seen.tokens.input && 0 < seen.tokens.output);
      assert.match(text, /You[^]*said:/);
    });

    test(`${mode}: it calls an offered tool on command and then answers with its result`, async () => {
      await using model = await startScriptedModel();
      const said = [
        {
          type: format === "responses" ? "input_text" : "text",
          text: 'Do [[call:read {"a":[["x"]]}]] now',
        },
      ];
      const first = await ask(model, format, {
        stream,
        tools: TOOLS[format],
        ...user(format, said),
      });
      assert.equal(first.seen.outcome, "completed");
      const [call] = first.seen.toolCalls;
      assert.ok(call);
      assert.deepEqual([call.tool, JSON.parse(call.input)], ["read", { a: [["x"]] }]);
      const results: Record<WireFormat, unknown> = {
        chat_completions: {
          messages: [
            { role: "user", content: said },
            { role: "assistant", tool_calls: [] },
            { role: "tool", tool_call_id: call.toolCallId, content: "the file" },
          ],
        },
        responses: {
          input: [
            { role: "user", content: said },
            { type: "function_call", call_id: call.toolCallId },
            { type: "function_call_output", call_id: call.toolCallId, output: "the file" },
          ],
        },
        messages: {
          messages: [
            { role: "user", content: said },
            { role: "assistant", content: [] },
            {
              role: "user",
              content: [
                {
                  type: "tool_result",
                  tool_use_id: call.toolCallId,
                  content: [{ type: "text", text: "the file" }],
                },
                { type: "text", text: "a reminder" },
              ],
            },
          ],
        },
      };
      const second = await ask(model, format, {
        stream,
        tools: TOOLS[format],
        ...(results[format] as object),
      });
      assert.deepEqual(second.seen.toolCalls, []);
      assert.match(second.text, /tool[^]*answered[^]*the[^]*file/);
    });

    test(`${mode}: prepared turns are answered in the format, with thoughts and tools`, async () => {
      await using model = await startScriptedModel();
      model.enqueue(says("Hi.", { thinking: "I think so." }), calls("read", { a: 1 }, "call_7"));
      const first = await ask(model, format, { stream, ...user(format, "x") });
      assert.deepEqual(
        first.seen.thoughts.map((thought) => thought.content),
        ["I think so."],
      );
      const second = await ask(model, format, { stream, ...user(format, "x") });
      assert.deepEqual(second.seen.toolCalls, [
        { toolCallId: "call_7", tool: "read", input: '{"a":1}' },
      ]);
    });
  }
}

test("a free-form tool gets its text as it is", async () => {
  await using model = await startScriptedModel();
  const said = "[[call:patch *** Begin]]";
  const { seen } = await ask(model, "responses", {
    stream: true,
    tools: TOOLS.responses,
    input: said,
  });
  assert.deepEqual(
    seen.toolCalls.map(({ tool, input }) => [tool, input]),
    [["patch", "*** Begin"]],
  );
});

test("without tools a directive is only text, and an unknown tool is named as such", async () => {
  await using model = await startScriptedModel();
  const said = user("messages", "[[call:read {}]]");
  assert.match((await ask(model, "messages", said)).text, /You said/);
  const tools = [{ name: "other", input_schema: {} }];
  assert.match((await ask(model, "messages", { tools, ...said })).text, /offered: other/);
});

test("another key is refused in the format's own shape, in either header", async () => {
  await using model = await startScriptedModel({ apiKey: "right" });
  const send = (headers: Record<string, string>, path: string): Promise<Response> =>
    fetch(model.url + path, { method: "POST", headers, body: "{}" });
  const refused = await send({ authorization: "Bearer wrong" }, PATHS.messages);
  assert.equal(refused.status, 401);
  assert.equal(((await refused.json()) as { type: string }).type, "error");
  assert.equal((await send({ authorization: "Bearer right" }, PATHS.responses)).status, 200);
  assert.equal((await send({ "x-api-key": "right" }, PATHS.messages)).status, 200);
  assert.equal((await send({}, PATHS.chat_completions)).status, 401);
});

test("models, token counts, and routes that do not exist are answered", async () => {
  await using model = await startScriptedModel();
  const models = (await (await fetch(`${model.url}/v1/models`)).json()) as { data: unknown[] };
  assert.ok(0 < models.data.length);
  const count = await fetch(`${model.url}/v1/messages/count_tokens`, {
    method: "POST",
    body: "{}",
  });
  assert.deepEqual(await count.json(), { input_tokens: 1 });
  assert.equal((await fetch(`${model.url}/v1/nothing`)).status, 404);
  assert.equal((await fetch(model.url + PATHS.messages)).status, 405);
});

test("requests are kept as they came", async () => {
  await using model = await startScriptedModel();
  await fetch(`${model.url}/v1/messages?beta=true`, {
    method: "POST",
    headers: { "X-Mine": "1" },
    body: '{"a": 1}',
  });
  const request = await model.nextRequest();
  assert.equal(request.method, "POST");
  assert.equal(request.path, "/v1/messages?beta=true");
  assert.equal(request.header("x-mine"), "1");
  assert.equal(new TextDecoder().decode(request.body), '{"a": 1}');
  await request.over;
  assert.equal(request.closedAtMs, null);
  assert.deepEqual(model.requests, [request]);
});

test("errors can be prepared: throttling, JSON, a page, half a character", async () => {
  await using model = await startScriptedModel();
  model.enqueue(throttles(7), json(500, { error: "x" }), html(502), halfUtf8());
  const throttled = await post(model, "messages", {});
  assert.equal(throttled.status, 429);
  assert.equal(throttled.headers.get("retry-after"), "7");
  assert.equal((await post(model, "messages", {})).status, 500);
  assert.match(await (await post(model, "messages", {})).text(), /<html>/);
  assert.match(await (await post(model, "messages", {})).text(), /\uFFFD$/);
});

test("broken connections can be prepared: reset, raw bytes, a cut stream", async () => {
  await using model = await startScriptedModel();
  model.enqueue(reset(), raw("nonsense\r\n\r\n"));
  await assert.rejects(post(model, "messages", {}));
  await assert.rejects(post(model, "messages", {}));
  model.enqueue(
    says("Hello", { cutAfterBytes: 40 }),
    says("Hello", { cutAfterBytes: 40, cutsCleanly: true }),
  );
  const body = { stream: true, ...user("messages", "x") };
  await assert.rejects(post(model, "messages", body).then((answer) => answer.text()));
  const clean = await (await post(model, "messages", body)).text();
  assert.equal(clean.length, 40);
});

test("a client that leaves is seen, with the time", async () => {
  const clock = new FakeClock();
  await clock.advance(5_000);
  await using model = await startScriptedModel({ clock });
  model.enqueue(hang(), sse(["data: 1\n\n"], { thenHang: true }));
  for (const waitsForHead of [false, true]) {
    const leave = new AbortController();
    const { signal } = leave;
    const answer = fetch(model.url + PATHS.messages, { method: "POST", body: "{}", signal });
    const request = await model.nextRequest();
    if (waitsForHead) await answer;
    else answer.catch(() => {});
    assert.equal(request.closedAtMs, null);
    leave.abort();
    await request.over;
    assert.equal(request.closedAtMs, 5_000);
  }
});

test("a stream is sent in pieces of a size, with time between, and waits where it is told", async () => {
  const clock = new FakeClock();
  await using model = await startScriptedModel({ clock });
  const gate = Promise.withResolvers<void>();
  const pause = { afterBytes: 9, until: gate.promise };
  model.enqueue(sse(["data: 1\n\n", "data: 2\n\n"], { chunkBytes: 6, pause }));
  const reader = (await post(model, "messages", {})).body?.getReader();
  let seen = "";
  while (seen.length < 9) seen += new TextDecoder().decode((await reader?.read())?.value);
  assert.equal(seen, "data: 1\n\n");
  gate.resolve();
  for (;;) {
    const piece = await reader?.read();
    if (piece?.done !== false) break;
    seen += new TextDecoder().decode(piece.value);
  }
  assert.equal(seen, "data: 1\n\ndata: 2\n\n");
});

test("a script answers request by request and may leave one to the ordinary conduct", async () => {
  await using model = await startScriptedModel({
    script: ({ path }) => (path === PATHS.messages ? json(418, {}) : null),
  });
  assert.equal((await post(model, "messages", {})).status, 418);
  assert.equal((await post(model, "responses", {})).status, 200);
});
