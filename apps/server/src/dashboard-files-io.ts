/**
 * The built dashboard, as it stands in a directory, and the answers that serve it.
 *
 * Files are read once and kept: they are few and small. A newer build in the same place is taken up
 * at the next page. Paths are looked up among those that were read, so none leads out of the directory.
 * The page names its files by relative addresses below a `<base>` that is relative too, so the
 * dashboard works at any path behind a proxy that takes that path away.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { noBuildPage } from "./no-build-page.ts";

/** Of one file: as it is, and as the build has compressed it. */
type StoredFile = {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly brotli: Buffer | null;
  readonly gzip: Buffer | null;
};

type Build = {
  readonly builtMs: number;
  readonly page: string;
  readonly files: ReadonlyMap<string, StoredFile>;
};

const PAGE = "index.html";
/** Where the build puts files whose names carry a hash of what they hold. */
const HASHED_FOLDER = "/assets/";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/**
 * What a page of ours may load and do. Scripts come from files of ours only. The terminal writes its
 * styles into the page, which is why styles may stand there. Frames show previews of workspaces, whose
 * origins are not ours, and nothing where there are none.
 */
function securityPolicy(frames: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    ...(frames.length === 0 ? [] : [`frame-src 'self' ${frames.join(" ")}`]),
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  // Which files belong to the page changes with each build.
  "cache-control": "no-cache",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

export class DashboardFiles {
  readonly #directory: string;
  readonly #policy: string;
  #build: Build | null = null;

  /** `frames`: sources that pages may show in a frame. */
  constructor(directory: string, frames: readonly string[] = []) {
    this.#directory = directory;
    this.#policy = securityPolicy(frames);
  }

  /** Whether there is a file of this path, and if so answers with it. */
  async answerFile(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    const build = this.#build?.files.has(path) ? this.#build : await this.#fresh();
    const file = build?.files.get(path);
    if (file === undefined) return false;
    sendFile(file, path, request, response);
    return true;
  }

  /** The page, which finds out by itself what its address means. */
  async answerPage(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const build = await this.#fresh();
    const text = build === null ? noBuildPage() : withBase(build.page, path);
    response.writeHead(build === null ? 503 : 200, {
      ...PAGE_HEADERS,
      "content-security-policy": this.#policy,
      "content-length": Buffer.byteLength(text),
    });
    response.end(request.method === "HEAD" ? undefined : text);
  }

  /** Null: nothing is built. */
  async #fresh(): Promise<Build | null> {
    const stats = await stat(join(this.#directory, PAGE)).catch(() => null);
    if (stats === null) return null;
    if (this.#build?.builtMs !== stats.mtimeMs) {
      this.#build = await readBuild(this.#directory, stats.mtimeMs);
    }
    return this.#build;
  }
}

async function readBuild(directory: string, builtMs: number): Promise<Build> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  const files = new Map<string, StoredFile>();
  for (const path of paths) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue; // Compressed siblings, the page itself, and the build's own notes.
    const packed = async (ending: string): Promise<Buffer | null> =>
      paths.includes(path + ending) ? readFile(join(directory, path + ending)) : null;
    const plain = await readFile(join(directory, path));
    const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
    const [brotli, gzip] = [await packed(".br"), await packed(".gz")];
    files.set(`/${path}`, { type, etag, plain, brotli, gzip });
  }
  return { builtMs, page: await readFile(join(directory, PAGE), "utf8"), files };
}

/** Relative addresses of the page count from its root, however deep the path that was asked for. */
export function withBase(page: string, path: string): string {
  const depth = path.split("/").length - 2;
  const base = depth <= 0 ? "./" : "../".repeat(depth);
  return page.replace("<head>", `<head><base href="${base}">`);
}

function sendFile(
  file: StoredFile,
  path: string,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const common = {
    "cache-control": path.startsWith(HASHED_FOLDER)
      ? "public, max-age=31536000, immutable"
      : "no-cache",
    etag: file.etag,
    vary: "accept-encoding",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  };
  if (headers["if-none-match"] === file.etag) {
    response.writeHead(304, common);
    response.end();
    return;
  }
  const accepted = String(headers["accept-encoding"] ?? "");
  const [encoding, body] = chooseEncoding(file, accepted);
  response.writeHead(200, {
    ...common,
    "content-type": file.type,
    "content-length": body.length,
    ...(encoding === null ? {} : { "content-encoding": encoding }),
  });
  response.end(method === "HEAD" ? undefined : body);
}

function chooseEncoding(file: StoredFile, accepted: string): [string | null, Buffer] {
  const takes = (name: string): boolean =>
    accepted.split(",").some((each) => {
      const [coding = "", quality = ""] = each.trim().split(/\s*;\s*/);
      return coding === name && !/^q=0(?:\.0*)?$/.test(quality);
    });
  if (file.brotli !== null && takes("br")) return ["br", file.brotli];
  if (file.gzip !== null && takes("gzip")) return ["gzip", file.gzip];
  return [null, file.plain];
}
