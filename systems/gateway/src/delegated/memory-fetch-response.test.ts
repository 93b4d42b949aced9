import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFetchResponse } from "./memory-fetch-response.ts";

const HEADERS = { "content-type": "application/json", "x-of": "ann" };
const TEXT = '{"a":[1,"ü"]}';

function bodyOf(text: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Blob([text]).stream();
}

/** What a caller may ask of an answer, and what it is told. */
const QUESTIONS: Readonly<Record<string, (answer: Response) => unknown>> = {
  head: ({ ok, status, statusText, type, url, redirected, headers }) => [
    ...[ok, status, statusText, type, url, redirected],
    ...headers,
  ],
  text: (answer) => answer.text(),
  json: (answer) => answer.json(),
  bytes: (answer) => answer.bytes(),
  "array buffer": (answer) => answer.arrayBuffer(),
  blob: async (answer) => {
    const blob = await answer.blob();
    return [blob.type, await blob.text()];
  },
  "a stream of text": (answer) => Array.fromAsync(answer.textStream()),
  "its stream": async ({ body }) => Buffer.concat(await Array.fromAsync(body ?? [])).toString(),
  "a clone": async (answer) => {
    const other = answer.clone();
    return [await other.text(), await answer.text(), other.headers.get("x-of")];
  },
  "whether it was read": async (answer) => {
    const before = answer.bodyUsed;
    await answer.text();
    return [before, answer.bodyUsed];
  },
  "to read it twice": async (answer) => {
    await answer.text();
    return answer.text().then(
      () => "read",
      (error: unknown) => error instanceof TypeError,
    );
  },
};

describe("an answer without a socket says what a Response says", () => {
  for (const [what, ask] of Object.entries(QUESTIONS)) {
    for (const status of [200, 299, 429, 599]) {
      test(`${what}, ${status}`, async () => {
        const head = { status, headers: new Headers(HEADERS) };
        const told = await ask(new MemoryFetchResponse(bodyOf(TEXT), head));
        assert.deepEqual(told, await ask(new Response(bodyOf(TEXT), head)));
      });
    }
  }
});

test("it has everything that a Response has", () => {
  const answer = new MemoryFetchResponse(bodyOf(""), { status: 200, headers: new Headers() });
  const names = Object.getOwnPropertyNames(Response.prototype);
  assert.deepEqual(
    names.filter((name) => !(name in answer)),
    [],
  );
});
