/**
 * The client programs that journeys run, installed once from the committed lock file into
 * `.runtime/clients`: large, and of no use to anybody who only runs the server.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

export type InstalledClients = {
  /** An executable. */
  readonly claude: string;
  /** A script for Node. */
  readonly codex: string;
};

const ROOT = join(import.meta.dirname, "../..");
const LIST = join(ROOT, "test/clients");
const TARGET = join(ROOT, ".runtime/clients");

export async function installClients(): Promise<InstalledClients> {
  const lock = readFileSync(join(LIST, "package-lock.json"));
  const stamp = createHash("sha256").update(lock).digest("hex");
  const stampFile = join(TARGET, "stamp");
  if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
    await install();
    writeFileSync(stampFile, stamp);
  }
  const modules = join(TARGET, "node_modules");
  return {
    claude: join(modules, `@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`),
    codex: join(modules, "@openai/codex/bin/codex.js"),
  };
}

async function install(): Promise<void> {
  const fresh = `${TARGET}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  cpSync(LIST, fresh, { recursive: true });
  const npm = process.env["npm_execpath"];
  const [command, ...before] = npm === undefined ? ["npm"] : [process.execPath, npm];
  await promisify(execFile)(command ?? "npm", [...before, "ci", "--ignore-scripts"], {
    cwd: fresh,
  });
  rmSync(TARGET, { recursive: true, force: true });
  mkdirSync(dirname(TARGET), { recursive: true });
  renameSync(fresh, TARGET);
}
