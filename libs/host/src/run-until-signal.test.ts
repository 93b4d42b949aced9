/** Real processes: how they end after signals, failures and slow closing. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

/** Runs `main` as a process. `say` prints a line that the test can wait for. */
function run(main: string, options = "{}") {
  const program = `
    import { silentLogger } from "@atelier/base/logger";
    import { systemClock } from "@atelier/base/system-clock";
    import { StartError } from "@atelier/host/start-error";
    import { runUntilSignal } from "@atelier/host/run-until-signal";
    const say = (text) => process.stdout.write(text + "\\n");
    const log = { ...silentLogger, error: (fields, message) => say("error: " + message) };
    await runUntilSignal({ log, clock: systemClock }, async (resources, signal) => { ${main} }, ${options});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.err += chunk.toString()));
  const exited = once(child, "close").then(([code]) => ({ code: code as number, ...output }));
  const said = async (line: string): Promise<void> => {
    while (!output.out.includes(line)) await once(child.stdout, "data");
  };
  return { child, exited, said };
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} closes everything in reverse order and exits with 0`, async () => {
    const { child, exited, said } = run(`
      resources.defer(() => say("closed first"));
      resources.defer(async () => { await null; say("closed second, told: " + signal.aborted); });
      say("ready");`);
    await said("ready");
    child.kill(signal);
    const { code, out } = await exited;
    assert.deepEqual([code, out], [0, "ready\nclosed second, told: true\nclosed first\n"]);
  });
}

test("a second signal exits at once", async () => {
  const { child, exited, said } = run(`
    resources.defer(() => { say("closing"); return new Promise(() => {}); });
    say("ready");`);
  await said("ready");
  child.kill("SIGTERM");
  await said("closing");
  child.kill("SIGINT");
  assert.equal((await exited).code, 130);
});

test("a start that fails for a known reason prints only the reason and closes what was open", async () => {
  const { exited } = run(`
    resources.defer(() => say("closed"));
    throw new StartError("Port 1 is taken.");`);
  assert.deepEqual(await exited, {
    code: 1,
    out: "closed\n",
    err: "\nCould not start: Port 1 is taken.\n",
  });
});

test("a start that fails for an unknown reason prints the stack and its causes", async () => {
  const { exited } = run(`throw new Error("outer", { cause: new TypeError("inner") });`);
  const { code, err } = await exited;
  assert.equal(code, 1);
  assert.match(err, /Error: outer\n +at [^]*Caused by: TypeError: inner\n +at /);
});

for (const { name, crash, message } of [
  {
    name: "an uncaught exception",
    crash: `setImmediate(() => { throw new Error("x"); });`,
    message: "unexpected error, shutting down",
  },
  {
    name: "an unhandled rejection",
    crash: `Promise.reject(new Error("x"));`,
    message: "unexpected error, shutting down",
  },
]) {
  test(`${name} is logged, closes everything and exits with 1`, async () => {
    const { exited } = run(`resources.defer(() => say("closed")); ${crash}`);
    assert.deepEqual(await exited, { code: 1, out: `error: ${message}\nclosed\n`, err: "" });
  });
}

test("closing that takes too long is cut off with exit code 1", async () => {
  const { child, exited, said } = run(
    `resources.defer(() => new Promise(() => {})); say("ready");`,
    "{ closeWithinMs: 50 }",
  );
  await said("ready");
  child.kill("SIGTERM");
  const { code, out } = await exited;
  assert.deepEqual([code, out], [1, "ready\nerror: closing took too long, exiting anyway\n"]);
});

test("closing that fails exits with 1", async () => {
  const { child, exited, said } = run(
    `resources.defer(() => { throw new Error("x"); }); say("ready");`,
  );
  await said("ready");
  child.kill("SIGTERM");
  assert.equal((await exited).code, 1);
});

test("a signal during the start is no failure", async () => {
  const { child, exited, said } = run(`
    resources.defer(() => say("closed"));
    say("starting");
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));`);
  await said("starting");
  child.kill("SIGTERM");
  assert.deepEqual(await exited, { code: 0, out: "starting\nclosed\n", err: "" });
});
