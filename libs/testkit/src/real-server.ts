/** A real server in a process of its own, spoken to over HTTP as anybody would. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type ApiAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON where it is JSON, else the text. */
  // oxlint-disable-next-line typescript/no-explicit-any -- Tests look into answers of many shapes.
  readonly body: any;
};

export type RealServer = AsyncDisposable & {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  api(method: string, path: string, options?: ApiOptions): Promise<ApiAnswer>;
  /** What it has logged so far. */
  log(): string;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
};

export type ApiOptions = { readonly body?: unknown; readonly token?: string };

export type RealServerOptions = {
  /** Absent: the server's own embedded Postgres. */
  readonly postgresUrl?: string;
  /** Outlives the server. Absent: a directory of its own, which is deleted at the end. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  /** For secrets: the server warns of those among its arguments. */
  readonly env?: Readonly<Record<string, string>>;
};

const SERVER_MAIN = join(import.meta.dirname, "../../../apps/server/src/main.ts");

export async function startRealServer(options: RealServerOptions = {}): Promise<RealServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "atelier-server-"));
  const child = spawnServer(dataDir, options);
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
    process.stderr.write(text);
  });
  // Its log is whole then, too.
  const closed = once(child, "close");
  const stop = async (): Promise<number | null> => {
    child.kill("SIGTERM");
    await closed;
    return child.exitCode;
  };
  const dispose = async (): Promise<void> => {
    await stop();
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  const url = await printedUrl(child);
  if (url === null) {
    await dispose();
    throw new Error("the server did not start: see its messages above");
  }
  return {
    url,
    port: Number(new URL(url).port),
    child,
    log: () => log,
    stop,
    api: (method, path, apiOptions) => callApi(url, method, path, apiOptions),
    [Symbol.asyncDispose]: dispose,
  };
}

function spawnServer(dataDir: string, { postgresUrl, args = [], env }: RealServerOptions) {
  const fixed = ["--http-address", "127.0.0.1:0", "--data-dir", dataDir, "--log-level", "warn"];
  return spawn(process.execPath, [SERVER_MAIN, ...fixed, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ATELIER_POSTGRES_URL: postgresUrl, ...env },
  });
}

/** Who set a fresh server up, and what they can sign requests with. */
export type FirstUser = {
  readonly userId: string;
  readonly email: string;
  readonly password: string;
  readonly session: string;
  /** An API token. */
  readonly token: string;
};

export async function setUpFirstUser(server: Pick<RealServer, "api">): Promise<FirstUser> {
  const email = "ann@example.com";
  const password = "correct-horse-battery-9";
  const post = async (path: string, body: object, token?: string) => {
    const answer = await server.api("POST", path, {
      body,
      ...(token === undefined ? {} : { token }),
    });
    if (answer.status !== 201)
      throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const first = await post("/api/v2/users/first", { email, username: "ann", password });
  const { session_token: session } = await post("/api/v2/users/login", { email, password });
  const { key: token } = await post(
    "/api/v2/users/me/keys/tokens",
    { token_name: "test" },
    session,
  );
  return { userId: first.user_id, email, password, session, token };
}

/** One request to the API of the server at `url`. */
export async function callApi(
  url: string,
  method: string,
  path: string,
  { body, token }: ApiOptions = {},
): Promise<ApiAnswer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { "coder-session-token": token }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The URL that a starting server prints. Null: it ended without. */
export async function printedUrl(child: ChildProcess): Promise<string | null> {
  const { stdout } = child;
  if (stdout === null) return null;
  for await (const line of createInterface({ input: stdout })) {
    const url = /http:\/\/[\w.[\]:]+:\d+/.exec(line)?.[0];
    if (url === undefined) continue;
    stdout.resume();
    return url;
  }
  return null;
}
