/**
 * The workspace agent as one file, `atelier-agent.mjs`, part of `npm run build`. It runs by
 * any Node from 24 on and needs nothing beside it; an older Node is told so. The server runs this, too,
 * to hand the file out (apps/server/src/agent-file.ts).
 *
 * Terminals have a native part for each platform. Those that are installed here are inside the file; on
 * other platforms it runs without terminals.
 */
import { build, type OutputChunk, type Plugin } from "rolldown";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join, relative, resolve } from "node:path";
import { deflateRawSync } from "node:zlib";
import { NODE_MAJOR_MIN } from "./doctor.ts";
import { ROOT } from "./source-files.ts";

const ENTRY = join(ROOT, "apps/workspace-agent/src/main.ts");
const PTY = join(ROOT, "node_modules/@lydell");

export const AGENT_FILE = "atelier-agent.mjs";

/** Nodes of many years parse it, and so get as far as the text that says which is needed. */
const SYNTAX = "es2022";

export type BuiltAgent = {
  readonly file: string;
  readonly bytes: number;
  /** `linux-x64` and the like: where the file has terminals. */
  readonly terminalPlatforms: readonly string[];
};

/** The file is put into its place whole, so that whoever reads it meanwhile has the old or the new one. */
export async function buildAgent(directory: string): Promise<BuiltAgent> {
  const parts = nativeParts();
  const { output } = await build({
    input: ENTRY,
    cwd: ROOT,
    platform: "node",
    logLevel: "warn",
    transform: { target: SYNTAX },
    plugins: [nativePartsInside(parts)],
    write: false,
    output: {
      format: "esm",
      codeSplitting: false,
      // Names stay: they are what a stack trace says.
      minify: { compress: true, mangle: false, codegen: true },
    },
  });
  const [chunk] = output;
  const code = `#!/usr/bin/env node\n${OLD_NODE_GUARD}\n${withLateNames(chunk.code)}\n/*\n${licencesOf(chunk)}*/\n`;
  mkdirSync(directory, { recursive: true });
  const file = join(directory, AGENT_FILE);
  writeWhole(file, code);
  return {
    file,
    bytes: Buffer.byteLength(code),
    terminalPlatforms: parts.map(({ platform }) => platform),
  };
}

/** Runs first, and is understood by any Node that knows modules. */
const OLD_NODE_GUARD = `if (Number(process.versions.node.split(".")[0]) < ${NODE_MAJOR_MIN}) {
  process.stderr.write("The workspace agent needs Node ${NODE_MAJOR_MIN} or later, and this is Node " + process.versions.node + ". Install a newer one from https://nodejs.org, or run this file by it.\\n");
  process.exit(1);
}`;

/**
 * Names that an older Node does not have must not keep the file from being loaded: modules of Node are
 * imported whole, and their names taken from them after the guard.
 */
function withLateNames(code: string): string {
  const imported = /import\{([^}]*)\}from"(node:[\w/]+)";/y;
  let head = "";
  let end = 0;
  for (
    let i = 0, found = imported.exec(code);
    found !== null;
    i += 1, found = imported.exec(code)
  ) {
    const [, names = "", module = ""] = found;
    end = imported.lastIndex;
    const taken = names.replaceAll(/(\w+) as /g, "$1:");
    head += `import*as node${i}$ from"${module}";const{${taken}}=node${i}$;`;
  }
  return head + code.slice(end);
}

function writeWhole(file: string, text: string): void {
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, text);
  renameSync(part, file);
}

type NativePart = { readonly platform: string; readonly file: string };

/** Those for Windows consist of several files, which find each other by their names. */
function nativeParts(): NativePart[] {
  return readdirSync(PTY)
    .map((name) => /^node-pty-((?:linux|darwin)-\w+)$/.exec(name)?.[1])
    .filter((platform) => platform !== undefined)
    .map((platform) => ({ platform, file: join(PTY, `node-pty-${platform}/pty.node`) }))
    .filter(({ file }) => existsSync(file))
    .toSorted((one, other) => (one.platform < other.platform ? -1 : 1));
}

/** In place of the library's own search for its native part. */
function nativePartsInside(parts: readonly NativePart[]): Plugin {
  return {
    name: "native parts of terminals",
    load(id) {
      if (!/[\\/]@lydell[\\/]node-pty[\\/]requireBinary\.js$/.test(id)) return null;
      const table = parts.map(({ platform, file }) => [
        platform,
        deflateRawSync(readFileSync(file), { level: 9 }).toString("base64"),
      ]);
      return nativeLoader(JSON.stringify(Object.fromEntries(table)));
    },
  };
}

/**
 * The system loads native code from files only: it is written where this user may run files, loaded, and
 * removed. Where none is inside, one may stand beside the file as an installed package.
 */
function nativeLoader(table: string): string {
  return `
const { mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { homedir, tmpdir } = require("node:os");
const { join } = require("node:path");
const { inflateRawSync } = require("node:zlib");
const PARTS = ${table};
exports.requireBinary = (name) => {
  const platform = process.platform + "-" + process.arch;
  const part = PARTS[platform];
  if (part === undefined) {
    return createRequire(process.argv[1])("@lydell/node-pty-" + platform + "/" + name);
  }
  let failure;
  for (const place of [tmpdir(), homedir()]) {
    let directory;
    try {
      directory = mkdtempSync(join(place, ".atelier-agent-"));
      const file = join(directory, "pty.node");
      writeFileSync(file, inflateRawSync(Buffer.from(part, "base64")), { mode: 0o700 });
      const loaded = { exports: {} };
      process.dlopen(loaded, file);
      return loaded.exports;
    } catch (error) {
      failure = error;
    } finally {
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    }
  }
  throw failure;
};
`;
}

/** What the licences of the packages inside ask to be handed on with them. Ends no comment. */
function licencesOf(chunk: OutputChunk): string {
  const packages = new Set(chunk.moduleIds.map(packageOf).filter((each) => each !== null));
  const texts = [...packages].toSorted().map((directory) => {
    // npm has validated it: it could not be installed otherwise.
    const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
      readonly name: string;
      readonly version: string;
      readonly license: string;
    };
    const file = readdirSync(directory).find((name) => /^licen[cs]e/i.test(name));
    const text = file === undefined ? "" : readFileSync(join(directory, file), "utf8");
    return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${text.trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`).replaceAll("*/", "* /");
}

/** Null: our own code. */
function packageOf(moduleId: string): string | null {
  const [, directory] = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(moduleId) ?? [];
  return directory ?? null;
}

/** With a directory as its argument: for the server, which bundles on demand. */
if (import.meta.main) {
  const { file, bytes } = await buildAgent(resolve(process.argv[2] ?? join(ROOT, "dist")));
  console.log(`${relative(process.cwd(), file)}: ${Math.round(bytes / 1_000)} kB`);
}
