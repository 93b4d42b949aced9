/**
 * The workspace agent as one file, for machines that are to be attached. Anybody may have it: nothing in
 * it is secret.
 *
 * A server that runs from a checkout bundles its own source when the file is first asked for, in a process
 * of its own, so that it never hands out another version. One without the bundler, as in an image of
 * production dependencies only, hands out what `npm run build` left in `dist/`.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { WORKSPACE_AGENT_FILE_PATH } from "@atelier/contract/http/workspaces";
import { answerText } from "./plain-answers.ts";

export type AgentFileDeps = {
  readonly clock: Clock;
  /** Makes or finds the file. Fails with a text for whoever asked. */
  readonly load: () => Promise<Result<Buffer, string>>;
};

const NAME = basename(WORKSPACE_AGENT_FILE_PATH);
/** Whoever asks again and again does not make the server try again and again. */
const RETRY_MS = 10_000;

type Loaded = { readonly content: Buffer; readonly sha256: Buffer };

export class AgentFile {
  readonly #deps: AgentFileDeps;
  #loading: Promise<Result<Loaded, string>> | null = null;
  #failedAtMs: number | null = null;

  constructor(deps: AgentFileDeps) {
    this.#deps = deps;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (!isRead) return answerText(request, response, { status: 405, text: "" });
    const loaded = await this.#load();
    if (!loaded.ok) {
      return answerText(request, response, { status: 503, text: `${loaded.failure}\n` });
    }
    const { content, sha256 } = loaded.value;
    const etag = `"${sha256.toString("hex")}"`;
    response.setHeader("etag", etag);
    response.setHeader("cache-control", "no-cache");
    response.setHeader("x-content-type-options", "nosniff");
    if (request.headers["if-none-match"]?.includes(etag) === true) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(200, {
      "content-type": "text/javascript; charset=utf-8",
      "content-length": content.byteLength,
      "content-disposition": `attachment; filename="${NAME}"`,
      "repr-digest": `sha-256=:${sha256.toString("base64")}:`,
    });
    response.end(request.method === "HEAD" ? undefined : content);
  }

  /** Once, whoever asks meanwhile; and anew some time after it failed. */
  #load(): Promise<Result<Loaded, string>> {
    const { clock } = this.#deps;
    const isStale = this.#failedAtMs !== null && clock.monotonicMs() - this.#failedAtMs > RETRY_MS;
    if (this.#loading === null || isStale) {
      this.#failedAtMs = null;
      this.#loading = this.#loadAnew();
    }
    return this.#loading;
  }

  async #loadAnew(): Promise<Result<Loaded, string>> {
    const { clock, load } = this.#deps;
    const loaded = await load();
    if (!loaded.ok) {
      this.#failedAtMs = clock.monotonicMs();
      return loaded;
    }
    const content = loaded.value;
    return ok({ content, sha256: createHash("sha256").update(content).digest() });
  }
}

const ROOT = join(import.meta.dirname, "../../..");
const BUILD_MS_MAX = 60_000;

/** From this server's own source, else as it was built before. */
export async function loadAgentFile(log: Logger, root = ROOT): Promise<Result<Buffer, string>> {
  const script = join(root, "tools/build-agent.ts");
  if (existsSync(script) && existsSync(join(root, "node_modules/rolldown"))) {
    try {
      return ok(await bundle(script));
    } catch (error) {
      log.error({ error }, "the workspace agent could not be bundled");
    }
  }
  try {
    return ok(await readFile(join(root, "dist", NAME)));
  } catch {
    return fail(
      "This server has no workspace agent to hand out: run `npm run build` where it is installed.",
    );
  }
}

async function bundle(script: string): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "atelier-agent-build-"));
  try {
    // Without this process' own flags, which may debug or watch, and without its secrets.
    const words = ["--disable-warning=ExperimentalWarning", script, directory];
    await promisify(execFile)(process.execPath, words, { timeout: BUILD_MS_MAX, env: {} });
    return await readFile(join(directory, NAME));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
