/** What a log line holds, and what it never holds. */
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import { test } from "node:test";
import { startLogger, type LogOptions } from "./logs.ts";

function logTo(lines: string[], options: Partial<LogOptions> = {}) {
  const stream = { write: (line: string) => lines.push(line) };
  return startLogger({ format: "json", level: "info", ...options, stream });
}

test("a JSON line has time, level, fields and message, and nothing below the level is written", () => {
  const lines: string[] = [];
  const log = logTo(lines);
  log.debug({ id: 1 }, "unseen");
  log.child({ system: "test" }).warn({ id: 2 }, "seen");
  const [line = "{}", ...others] = lines;
  assert.deepEqual(others, []);
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { level: "warn", system: "test", id: 2, msg: "seen" });
});

for (const format of ["json", "human"] as const) {
  test(`${format}: an error is written with its causes and without its other properties`, () => {
    const lines: string[] = [];
    const root = Object.assign(new Error("no route"), { code: "EHOSTUNREACH", payload: "private" });
    const error = new Error("read list", { cause: new Error("connect", { cause: root }) });
    logTo(lines, { format }).error({ error }, "failed");
    logTo(lines, { format }).error(error, "failed bare");
    for (const line of lines) {
      for (const part of ["read list", "connect", "no route", "EHOSTUNREACH", "logs.test.ts"]) {
        assert.ok(line.includes(part), `${part} in ${line}`);
      }
      assert.doesNotMatch(line, /private/);
    }
    assert.equal(lines.length, 2);
  });

  test(`${format}: a secret prints as [secret], however deep it lies`, () => {
    const lines: string[] = [];
    const secret = new Secret("hunter2");
    const log = logTo(lines, { format });
    log.child({ key: secret }).info({ secret, deep: { list: [secret] } }, "with a secret");
    assert.doesNotMatch(lines.join(), /hunter2/);
    assert.equal(lines.join().split("[secret]").length, 4);
  });
}

test("a causal chain without end is cut", () => {
  const lines: string[] = [];
  const error = new Error("loop");
  error.cause = error;
  logTo(lines).error({ error }, "failed");
  assert.equal(lines.join().split('"message":"loop"').length, 7);
});
