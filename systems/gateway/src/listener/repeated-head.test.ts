/** A head that a connection sends again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RepeatedHead } from "./repeated-head.ts";
import { parseRequestHead } from "./request-head.ts";

const headOf = (length: string, more = ""): string =>
  `POST /gate/x HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\nX-Last: 1\r\n${more}`;

function remembered(text: string): RepeatedHead {
  const head = parseRequestHead(text);
  assert.ok(head !== null);
  return new RepeatedHead(text, head, "/gate");
}

for (const length of ["0", "7", "12", "123456"]) {
  test(`the same head with a body of ${length} bytes is what reading it says`, () => {
    const text = headOf(length);
    assert.deepEqual(remembered(headOf("12")).again(text), parseRequestHead(text));
  });
}

for (const [name, text] of [
  ["another header", headOf("12", "X-More: 1\r\n")],
  ["another value", headOf("12").replace("X-Last: 1", "X-Last: 2")],
  ["another path", headOf("12").replace("/x", "/y")],
  ["no length", headOf("")],
  ["a length that is none", headOf("1e3")],
  ["a length with a zero before it", headOf("012")],
  ["a length and a header in it", headOf("12\r\nX-In: 1")],
  ["the beginning of it", headOf("12").slice(0, 30)],
] as const) {
  test(`another head is not taken for the last one: ${name}`, () => {
    assert.equal(remembered(headOf("12")).again(text), null);
  });
}

test("a head without a body is the same or another one", () => {
  const text = "GET /gate/x HTTP/1.1\r\nHost: x\r\n";
  const head = remembered(text);
  assert.deepEqual(head.again(text), parseRequestHead(text));
  assert.equal(head.again(`${text}Accept: a\r\n`), null);
});

test("what an earlier request was read from does not change with a later one", () => {
  const head = remembered(headOf("12"));
  const [first, second] = [head.again(headOf("12")), head.again(headOf("13"))];
  assert.deepEqual(
    [first?.headers["content-length"], second?.headers["content-length"]],
    ["12", "13"],
  );
  assert.deepEqual([first?.rawHeaders[3], second?.rawHeaders[3]], ["12", "13"]);
});
