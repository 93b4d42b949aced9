/**
 * When the bytes of an answer go to the socket: at once where there is time, else what one turn of the event loop
 * brings in few writes, the first of them at once.
 */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { beforeEach, test } from "node:test";
import type { DirectRequest } from "./direct-request-io.ts";
import { DirectResponse } from "./direct-response-io.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
let nowMs = 0;
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A response, and each write to its socket without the head. */
function respond(headers: Record<string, string> = {}, { isLoopFull = true } = {}) {
  const writes: string[] = [];
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk.toString("latin1").replace(/^HTTP[^]*\r\n\r\n/, "head "));
      done();
    },
  });
  const res = new DirectResponse({
    req: { socket: socket as Socket, complete: true } as DirectRequest,
    closes: false,
    keepAliveSeconds: 5,
    clock: { monotonicMs: () => nowMs },
    date: () => "",
    isLoopFull: () => isLoopFull,
    onEnd: () => {
      writes.push("over");
    },
  });
  res.writeHead(200, headers);
  return { res, writes };
}

/** What one test leaves for the end of its turn is not to be met by the next. */
beforeEach(turn);

test("the first bytes of a turn are sent at once, with the head", () => {
  const { res, writes } = respond();
  res.flushHeaders();
  assert.deepEqual(writes, []);
  res.write(bytes("a"));
  assert.deepEqual(writes, ["head 1\r\na\r\n"]);
});

test("an answer of known length is sent whole before its end is said", async () => {
  const { res, writes } = respond({ "content-length": "1" });
  res.write(bytes("a"));
  assert.deepEqual(writes, ["head a"]);
  res.end();
  await turn();
  assert.deepEqual(writes, ["head a", "over"]);
});

test("what the same turn adds goes out as one at its end", async () => {
  const { res, writes } = respond();
  res.write(bytes("a"));
  res.write(bytes("b"));
  res.end(bytes("c"));
  assert.equal(writes.length, 1);
  await turn();
  assert.deepEqual(writes, ["head 1\r\na\r\n", "1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "over"]);
});

test("each turn has its first bytes", async () => {
  const { res, writes } = respond();
  for (const text of ["a", "b"]) {
    res.write(bytes(text));
    await turn();
  }
  assert.deepEqual(writes, ["head 1\r\na\r\n", "1\r\nb\r\n"]);
});

test("a head that nothing comes with goes out at the end of the turn", async () => {
  const { res, writes } = respond();
  res.flushHeaders();
  await turn();
  assert.deepEqual(writes, ["head "]);
});

test("answers that follow another in a turn wait for its end", async () => {
  const [one, other] = [respond(), respond()];
  one.res.write(bytes("a"));
  other.res.write(bytes("b"));
  assert.deepEqual([one.writes.length, other.writes.length], [1, 0]);
  await turn();
  assert.deepEqual(other.writes, ["head 1\r\nb\r\n"]);
});

test("where there is time, answers do not wait for each other", async () => {
  const [one, other] = [respond({}, { isLoopFull: false }), respond({}, { isLoopFull: false })];
  one.res.write(bytes("a"));
  other.res.write(bytes("b"));
  assert.deepEqual([one.writes.length, other.writes.length], [1, 1]);
  other.res.end();
  assert.deepEqual(other.writes, ["head 1\r\nb\r\n", "0\r\n\r\n"]);
  await turn();
  assert.deepEqual(other.writes.slice(2), ["over"]);
});

test("a stream that runs waits for nobody, however full the loop is", async () => {
  const [one, other] = [respond(), respond()];
  for (const { res } of [one, other]) res.flushHeaders();
  await turn();
  one.res.write(bytes("a"));
  other.res.write(bytes("b"));
  assert.deepEqual(one.writes, ["head ", "1\r\na\r\n"]);
  assert.deepEqual(other.writes, ["head ", "1\r\nb\r\n"]);
});

test("of a burst of events of a running stream, the first goes out at once and the rest together", async () => {
  const { res, writes } = respond();
  res.flushHeaders();
  await turn();
  for (const text of ["a", "b", "c"]) res.write(bytes(text));
  assert.deepEqual(writes, ["head ", "1\r\na\r\n"]);
  await turn();
  assert.deepEqual(writes.slice(2), ["1\r\nb\r\n1\r\nc\r\n"]);
  nowMs += 1;
  res.write(bytes("d"));
  assert.deepEqual(writes.slice(3), ["1\r\nd\r\n"]);
});

test("an event that finds others waiting goes out after them, in one write", async () => {
  const { res, writes } = respond();
  res.flushHeaders();
  await turn();
  for (const text of ["a", "b"]) res.write(bytes(text));
  nowMs += 1;
  res.write(bytes("c"));
  assert.deepEqual(writes.slice(2), ["1\r\nb\r\n1\r\nc\r\n"]);
});

test("a burst of much waits for nothing", async () => {
  const { res, writes } = respond();
  res.flushHeaders();
  await turn();
  res.write(bytes("a"));
  res.write(bytes("x".repeat(65_536)));
  assert.match(writes.slice(2).join(""), /^10000\r\nx+\r\n$/);
});

test("however long an event of a running stream is, it is framed as it should be", async () => {
  const { res, writes } = respond();
  res.flushHeaders();
  await turn();
  const lengths = [1, 15, 16, 255, 256, 4_095, 4_096, 32_768, 32_769, 65_536];
  for (const length of lengths) {
    nowMs += 1;
    res.write(bytes("x".repeat(length)));
  }
  res.write(bytes(""));
  res.end();
  await turn();
  const expected = lengths.map((length) => `${length.toString(16)}\r\n${"x".repeat(length)}\r\n`);
  assert.equal(writes.join(""), `head ${expected.join("")}0\r\n\r\nover`);
});

test("an event of a stream whose length was announced has no frame", async () => {
  const { res, writes } = respond({ "content-length": "2" });
  res.flushHeaders();
  await turn();
  res.write(bytes("a"));
  res.write(bytes("b"));
  res.end();
  await turn();
  assert.deepEqual(writes, ["head ", "a", "b", "over"]);
});

test("an answer that is no stream waits for its turn's end also when it has begun", async () => {
  const [one, other] = [respond(), respond()];
  other.res.write(bytes("a"));
  await turn();
  one.res.write(bytes("b"));
  other.res.write(bytes("c"));
  assert.equal(other.writes.length, 1);
  await turn();
  assert.deepEqual(other.writes, ["head 1\r\na\r\n", "1\r\nc\r\n"]);
});
