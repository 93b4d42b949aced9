import { StartProcess } from "@atelier/contract/rpc/workspace/processes";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chooseForgotten,
  encodeStartRecord,
  inputHashOf,
  parseStartRecord,
  processIdOf,
  toExit,
  toShown,
} from "./process-record.ts";

for (const [status, exitCode, signal] of [
  [0, 0, null],
  [127, 127, null],
  [128, 128, null],
  [130, null, "SIGINT"],
  [134, null, "SIGABRT"],
  [137, null, "SIGKILL"],
  [143, null, "SIGTERM"],
  [145, 145, null], // SIGCHLD ends nothing.
  [255, 255, null],
] as const) {
  test(`a shell's status ${status} is ${signal ?? `exit code ${exitCode}`}`, () => {
    assert.deepEqual(toExit(status), { exitCode, signal });
  });
}

test("the same call has the same id, and no other has it", () => {
  const effect = { chatId: "a", callId: "b", inputHash: "", fence: 1 };
  const draw = () => "drawn";
  const idOf = (of: Partial<Parameters<typeof processIdOf>[0]>) =>
    processIdOf({ effect: null, idempotencyKey: "", ...of }, draw);
  assert.equal(idOf({ effect }), idOf({ effect: { ...effect, fence: 2, inputHash: "x" } }));
  const ids = [
    idOf({}),
    idOf({ effect }),
    idOf({ effect: { ...effect, chatId: "ab", callId: "" } }),
    idOf({ idempotencyKey: "a" }),
    idOf({ idempotencyKey: "b" }),
  ];
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[0-9a-z-]{1,64}$/);
});

test("the hash of an input tells every other input, and nothing of its stamp", () => {
  const input = StartProcess.parse({ command: "x" });
  const effect = { chatId: "a", callId: "b", inputHash: "", fence: 1 };
  assert.equal(inputHashOf({ ...input, effect }), inputHashOf(input));
  assert.notEqual(inputHashOf({ ...input, environment: { A: "1" } }), inputHashOf(input));
});

test("a command is shown as a person would type it, and not endlessly", () => {
  assert.equal(toShown("echo $A | cat"), "echo $A | cat");
  assert.equal(toShown(["a", "b c", "$d", "", "e=f"]), "a 'b c' '$d' '' e=f");
  assert.equal(toShown("x".repeat(5_000)), `${"x".repeat(4_095)}…`);
});

test("a record is read as it was written; a torn one is none", () => {
  const record = {
    id: "p-1",
    command: "ä\n",
    workingDirectory: "/",
    group: "",
    startedAtMs: 1,
    inputHash: "h",
  };
  const text = encodeStartRecord(record);
  assert.deepEqual(parseStartRecord(text), record);
  for (const cut of ["", text.slice(0, -1), text.slice(0, 20)]) {
    assert.equal(parseStartRecord(cut), null);
  }
  assert.equal(parseStartRecord('{"version":2}\n'), null);
});

test("the oldest are forgotten first: the many, the old, the large", () => {
  const ended = [1, 2, 3, 4].map((n) => ({ id: String(n), endedAtMs: n, keptBytes: 10 }));
  const all = { countMax: 9, bytesMax: 99, endedAfterMs: 0 };
  assert.deepEqual(chooseForgotten(ended, all), []);
  assert.deepEqual(chooseForgotten(ended, { ...all, countMax: 3 }), ["1"]);
  assert.deepEqual(chooseForgotten(ended, { ...all, endedAfterMs: 3 }), ["1", "2"]);
  assert.deepEqual(chooseForgotten(ended, { ...all, bytesMax: 10 }), ["1", "2", "3"]);
});
