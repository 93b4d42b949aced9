/** Background work is stopped, awaited, and its crash is logged. */
import { silentLogger, type Logger } from "@atelier/base/logger";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Tasks } from "./tasks.ts";

function errorsLogged(): { readonly log: Logger; readonly errors: object[] } {
  const errors: object[] = [];
  return { errors, log: { ...silentLogger, error: (fields) => errors.push(fields) } };
}

test("disposing aborts all work and waits until it has cleaned up", async () => {
  const { log, errors } = errorsLogged();
  const steps: string[] = [];
  const tasks = new Tasks(log);
  tasks.run("waits", async (signal) => {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve());
    await aborted.promise;
    await new Promise((resolve) => setImmediate(resolve));
    steps.push("cleaned up");
    throw signal.reason;
  });
  await tasks[Symbol.asyncDispose]();
  assert.deepEqual([steps, errors], [["cleaned up"], []]);
});

test("a crash is logged with the task's name and ends nobody else", async () => {
  const { log, errors } = errorsLogged();
  const error = new Error("broken");
  const finished = Promise.withResolvers<void>();
  {
    await using tasks = new Tasks(log);
    tasks.run("crashes", () => Promise.reject(error));
    tasks.run("crashes at once", () => {
      throw error;
    });
    tasks.run("goes on", async () => finished.resolve());
    await finished.promise;
  }
  assert.deepEqual(
    new Set(errors),
    new Set([
      { task: "crashes", error },
      { task: "crashes at once", error },
    ]),
  );
});

test("a crash while stopping is logged, unlike being stopped", async () => {
  const { log, errors } = errorsLogged();
  const tasks = new Tasks(log);
  tasks.run("fails late", async (signal) => {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve());
    await aborted.promise;
    throw new Error("broken");
  });
  await tasks[Symbol.asyncDispose]();
  assert.equal(errors.length, 1);
  assert.throws(() => tasks.run("too late", async () => {}), /before its owner stops/);
});
