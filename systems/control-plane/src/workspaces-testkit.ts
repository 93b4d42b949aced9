/** Machines and viewers for tests of workspaces: real sockets against a test control plane. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { ok } from "@atelier/base/result";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { holdLink, type LinkRefusal, type LinkState } from "@atelier/tunnel/hold-link";
import { askOverSocket, type Link } from "@atelier/tunnel/link";
import { fakeServices, type Seen } from "@atelier/tunnel/services-testkit";
import { WebSocket, type ClientOptions } from "ws";
import type { Answer, Person, TestControlPlane } from "./control-plane-on-postgres-testkit.ts";

export type TestWorkspace = {
  readonly id: string;
  readonly agentId: string;
  readonly token: string;
  readonly command: string;
  readonly warning: string | null;
};

export async function addWorkspace(
  plane: Pick<TestControlPlane, "call">,
  owner: Person,
  name: string,
): Promise<TestWorkspace> {
  const { token } = owner;
  const made = await plane.call("POST", "/api/v2/users/me/workspaces", { token, body: { name } });
  assert.equal(made.status, 201, made.text);
  const { id, agents } = made.body;
  const issued = await plane.call("POST", `/api/v2/workspaces/${id}/agent-token`, { token });
  assert.equal(issued.status, 201, issued.text);
  return { id, agentId: agents[0].id, ...issued.body };
}

export type TestMachine = AsyncDisposable & {
  readonly seen: Seen;
  readonly states: readonly LinkState[];
  /** What ended it for good; null when it was told to stop. */
  readonly ended: Promise<LinkRefusal | null>;
  until(kind: LinkState["kind"], times?: number): Promise<void>;
  stop(): Promise<void>;
};

/** A workspace agent in this process, with services that are easy to predict. */
export function startMachine(
  url: string,
  token: string,
  overrides: Partial<WorkspaceServices> = {},
): TestMachine {
  const { services, seen } = fakeServices();
  const stop = new AbortController();
  const states: LinkState[] = [];
  const waiting = new Set<() => void>();
  const link = new URL("/api/v2/workspaceagents/me/link", url.replace(/^http/, "ws"));
  const machine = { ...services.machine, info: async () => ok(MACHINE_INFO) };
  const ended = holdLink(
    {
      url: link,
      token: new Secret(token),
      agentVersion: "0.0.0-test",
      services: { ...services, machine, ...overrides },
      onState: (state) => {
        states.push(state);
        for (const wake of waiting) wake();
      },
    },
    { clock: systemClock, random: systemRandom, log: silentLogger },
    stop.signal,
  );
  const end = async (): Promise<void> => {
    stop.abort(new Error("the machine is switched off"));
    await ended;
  };
  return {
    seen,
    states,
    ended,
    until: async (kind, times = 1) => {
      while (states.filter((state) => state.kind === kind).length < times) {
        const woken = Promise.withResolvers<void>();
        waiting.add(woken.resolve);
        await woken.promise;
        waiting.delete(woken.resolve);
      }
    },
    stop: end,
    [Symbol.asyncDispose]: end,
  };
}

export const MACHINE_INFO = {
  hostname: "box",
  os: "linux",
  arch: "x64",
  kernel: "6.1",
  user: "ann",
  home: "/home/ann",
  directory: "/home/ann/project",
  shell: "/bin/bash",
  agentVersion: "1.2.3",
  agentStartedAt: "2026-01-01T00:00:00.000Z",
  abilities: [],
};

/** A socket to a path, by a header. Rejects with what an HTTP answer says instead. */
export async function openSocket(
  url: string,
  path: string,
  { token, ...options }: ClientOptions & { readonly token?: string } = {},
): Promise<WebSocket> {
  const socket = new WebSocket(new URL(path, url.replace(/^http/, "ws")), {
    perMessageDeflate: false,
    ...options,
    headers: {
      ...(token === undefined ? {} : { "coder-session-token": token }),
      ...options.headers,
    },
  });
  const refused = new Promise<never>((_resolve, reject) => {
    socket.once("unexpected-response", (_request, response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.once("end", () => reject(new RefusedSocket(response.statusCode ?? 0, text)));
    });
    socket.once("error", reject);
  });
  // What the server says at once waits until somebody listens.
  socket.once("open", () => socket.pause());
  await Promise.race([once(socket, "open"), refused]);
  refused.catch(() => {}); // It is open.
  socket.on("error", () => {}); // `close` follows.
  return socket;
}

export class RefusedSocket extends Error {
  readonly status: number;
  readonly text: string;

  constructor(status: number, text: string) {
    super(`${status}: ${text}`);
    this.status = status;
    this.text = text;
  }
}

/** The HTTP status by which opening it is refused; 0 where it opens. */
export async function refusalOf(
  ...args: Parameters<typeof openSocket>
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const socket = await openSocket(...args);
    socket.terminate();
    return { status: 0, text: "" };
  } catch (error) {
    if (error instanceof RefusedSocket) return error;
    throw error;
  }
}

/** A user's link to a workspace, as the command line holds one. */
export async function openLink(url: string, person: Person, agentId: string): Promise<Link> {
  const path = `/api/v2/workspaceagents/${agentId}/link`;
  const socket = await openSocket(url, path, { token: person.token });
  const link = askOverSocket(socket, { clock: systemClock, log: silentLogger });
  socket.resume();
  return link;
}

type WatchEvent = {
  readonly type: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- Tests look into answers of many shapes.
  readonly data: any;
};

export type TestWatch = AsyncDisposable & {
  readonly events: readonly WatchEvent[];
  /** Resolves with the first event, seen or to come, that this holds of. */
  until(holds: (event: WatchEvent) => boolean): Promise<WatchEvent>;
  readonly ended: Promise<void>;
};

/** Server-sent events, as a browser gets them. */
export async function watch(url: string, person: Person, workspaceId: string): Promise<TestWatch> {
  const gone = new AbortController();
  const response = await fetch(`${url}/api/v2/workspaces/${workspaceId}/watch`, {
    headers: { "coder-session-token": person.token },
    signal: gone.signal,
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const events: WatchEvent[] = [];
  const waiting = new Set<() => void>();
  const read = async (): Promise<void> => {
    let text = "";
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString();
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
        const [, type = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        events.push({ type, data: JSON.parse(data) });
        for (const wake of waiting) wake();
      }
    }
  };
  const ended = read().catch(() => {}); // Told to stop.
  return {
    events,
    ended,
    until: async (holds) => {
      for (;;) {
        const found = events.find(holds);
        if (found !== undefined) return found;
        const woken = Promise.withResolvers<void>();
        waiting.add(woken.resolve);
        await woken.promise;
        waiting.delete(woken.resolve);
      }
    },
    [Symbol.asyncDispose]: async () => {
      gone.abort();
      await ended;
    },
  };
}

/** Asks again and again until the answer is as wanted: for what is written down after the fact. */
export async function eventually(
  ask: () => Promise<Answer>,
  holds: (answer: Answer) => boolean,
): Promise<Answer> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    assert.ok(performance.now() < deadline, `still: ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One address before several servers: connections go to whichever is chosen when they come. */
export async function startBalancer(
  url: string,
): Promise<AsyncDisposable & { readonly url: string; sendTo(url: string): void }> {
  let target = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket)).on("error", () => {});
    }
    incoming.pipe(outgoing).pipe(incoming);
    incoming.once("close", () => outgoing.destroy());
    outgoing.once("close", () => incoming.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    sendTo: (other) => {
      target = new URL(other);
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
