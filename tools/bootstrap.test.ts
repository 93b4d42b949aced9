/** How a program runs below tools/bootstrap.mjs. The installations are tried by hand and by CI. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./source-files.ts";

async function runScript(
  source: string,
  args: readonly string[],
  signal: NodeJS.Signals | null = null,
): Promise<{ readonly code: number | null; readonly output: string }> {
  using folder = mkdtempDisposableSync(join(tmpdir(), "bootstrap-"));
  const script = join(folder.path, "script.ts");
  writeFileSync(script, source);
  const child = spawn(process.execPath, [join(ROOT, "tools/bootstrap.mjs"), script, ...args], {
    cwd: folder.path,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (signal !== null && text.includes("ready")) child.kill(signal);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

test("arguments, the caller's folder and the exit code pass through", async () => {
  const source = `
    const words: string[] = process.argv.slice(2);
    console.log(JSON.stringify({ words, folder: process.cwd() }));
    process.exitCode = 7;`;
  const { code, output } = await runScript(source, ["--flag", "two words"]);
  assert.equal(code, 7);
  const { words, folder } = JSON.parse(output);
  assert.deepEqual(words, ["--flag", "two words"]);
  assert.match(folder, /bootstrap-/);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} reaches the program once, and its own exit code counts`, async () => {
    const source = `
      let count: number = 0;
      process.on("${signal}", () => {
        count += 1;
        setTimeout(() => { console.log("got", count); process.exit(5); }, 100);
      });
      console.log("ready");
      setInterval(() => {}, 1_000);`;
    const { code, output } = await runScript(source, [], signal);
    assert.equal(code, 5);
    assert.match(output, /got 1/);
  });
}

test("a program that dies of a signal gives the shell's exit code for it", async () => {
  const { code } = await runScript(`process.kill(process.pid, "SIGKILL");`, []);
  assert.equal(code, 137);
});

test("an unknown script fails", async () => {
  const { code } = await runScript(`import "./no-such-file.ts";`, []);
  assert.equal(code, 1);
});
