/** How a workspace agent keeps its link: against servers that break, refuse, and fall silent. */
import { silentLogger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocketServer, type WebSocket } from "ws";
import { holdLink, type LinkState } from "./hold-link.ts";
import { PING_EVERY_MS, SILENCE_MS_MAX } from "./link.ts";
import { testLink } from "./link-testkit.ts";
import { CLOSE_REPLACED, refuseLinkVersion } from "./link-handshake.ts";
import { fakeServices } from "./services-testkit.ts";

/** Draws that make each wait half of its step's limit. */
const random: Random = {
  uuid: () => "80000000-0000-4000-8000-000000000000",
  alphanumeric: (length) => "a".repeat(length),
};

async function server(onRequest: RequestListener | null) {
  const http = createServer();
  const sockets: WebSocket[] = [];
  const accepted = new EventEmitter();
  if (onRequest === null) {
    const accepting = new WebSocketServer({ server: http });
    accepting.on("connection", (socket) => {
      sockets.push(socket);
      accepted.emit("one");
    });
  } else {
    http.on("upgrade", (request, socket) => {
      socket.end(answerOf(request.headers.authorization ?? ""));
    });
  }
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: new URL(`ws://127.0.0.1:${port}/link`),
    /** The server may get to know of a connection after the agent does. */
    socket: async (index: number): Promise<WebSocket> => {
      for (;;) {
        const socket = sockets[index];
        if (socket !== undefined) return socket;
        await once(accepted, "one");
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function answerOf(authorization: string): string {
  const [, token = ""] = authorization.split(" ");
  const [status, text] = token.split("-");
  return `HTTP/1.1 ${status} x\r\ncontent-length: ${text?.length}\r\n\r\n${text}`;
}

const hold = (url: URL, token: string, signal: AbortSignal, onState: (state: LinkState) => void) =>
  holdLink(
    {
      url,
      token: new Secret(token),
      agentVersion: "0",
      services: fakeServices().services,
      onState,
    },
    { clock: systemClock, random, log: silentLogger },
    signal,
  );

test("a broken link is dialled again at once, and a stopped agent ends", async () => {
  await using up = await server(null);
  const stop = new AbortController();
  const states: string[] = [];
  const connectedTwice = Promise.withResolvers<void>();
  const held = hold(up.url, "x", stop.signal, ({ kind }) => {
    states.push(kind);
    if (states.join() === "connected")
      up.socket(0).then((socket) => socket.terminate(), assert.fail);
    if (states.join() === "connected,waiting,connected") connectedTwice.resolve();
  });
  await connectedTwice.promise;
  stop.abort(new Error("stop"));
  assert.equal(await held, null);
});

/** Closes each connection with the code that is next, once the agent has heard that it is connected. */
async function closing(codes: readonly number[]) {
  await using up = await server(null);
  const stop = new AbortController();
  let connections = 0;
  const refusal = await hold(up.url, "x", stop.signal, ({ kind }) => {
    if (kind !== "connected") return;
    const code = codes[connections];
    connections += 1;
    if (code === undefined) stop.abort(new Error("stop"));
    else {
      up.socket(connections - 1).then((socket) => socket.close(code), assert.fail);
    }
  });
  return { refusal, connections };
}

test("an agent whose place another took stops, and does not take it back", async () => {
  const { refusal, connections } = await closing([CLOSE_REPLACED]);
  assert.equal(connections, 1);
  assert.equal(refusal?.kind, "replaced");
  assert.match(refusal?.message ?? "", /one token is for one machine/);
});

test("a socket that is told to close is not cut off by what is still written to it", async () => {
  await using t = await testLink(fakeServices().services);
  const { serverSocket } = t;
  const cutIn: number[] = [];
  const terminate = serverSocket.terminate.bind(serverSocket);
  serverSocket.terminate = () => {
    cutIn.push(serverSocket.readyState);
    terminate();
  };
  const closed = once(t.agentSocket, "close");
  serverSocket.close(CLOSE_REPLACED);
  const answer = await t.link.services.ports.list({});
  assert.ok(!answer.ok && answer.failure.code === "disconnected");
  assert.equal(((await closed) as [number])[0], CLOSE_REPLACED);
  await t.link.closed;
  assert.ok(
    cutIn.every((state) => state === serverSocket.CLOSED),
    cutIn.join(),
  );
});

test("an agent that may have been replaced by its own echo dials again, but only once", async () => {
  const onlyOnce = await closing([1012, CLOSE_REPLACED]);
  assert.deepEqual(onlyOnce, { refusal: null, connections: 3 });
  const twice = await closing([1012, CLOSE_REPLACED, CLOSE_REPLACED]);
  assert.deepEqual([twice.connections, twice.refusal?.kind], [3, "replaced"]);
});

test("a refused token ends the agent: no retry would help", async () => {
  await using up = await server(() => {});
  const refusal = await hold(up.url, "401-no", new AbortController().signal, () => {});
  assert.equal(refusal?.kind, "token_refused");
});

test("a refused version ends the agent with what the server says", async () => {
  await using up = await server(() => {});
  const refusal = await hold(up.url, "426-update", new AbortController().signal, () => {});
  assert.deepEqual(refusal, { kind: "version_refused", message: "update" });
});

test("any other answer is waited out", async () => {
  await using up = await server(() => {});
  const stop = new AbortController();
  const refusal = hold(up.url, "502-bad", stop.signal, (state) => {
    assert.ok(state.kind === "waiting");
    assert.equal(state.reason, "the server answered 502: bad");
    stop.abort(new Error("stop"));
  });
  assert.equal(await refusal, null);
});

test("a peer that falls silent is given up, on both sides", async () => {
  const clock = new FakeClock();
  const { services } = fakeServices();
  await using t = await testLink(services, { clock, log: silentLogger });
  // As a half-open socket does: bytes go out, none come in.
  for (const socket of [t.agentSocket, t.serverSocket]) {
    socket.removeAllListeners("ping").removeAllListeners("pong").removeAllListeners("message");
  }
  let over = false;
  const closed = Promise.all([t.link.closed, t.agentClosed]).then(() => {
    over = true;
  });
  await clock.advance(SILENCE_MS_MAX - 1);
  assert.equal(over, false);
  await clock.advance(4_000);
  await closed;
});

test("a process that was held up does not take its peer for silent", async () => {
  /** Oversleeps, as a machine does that is out of breath. */
  class LateClock extends FakeClock {
    override async sleep(delayMs: number, signal: AbortSignal): Promise<void> {
      await super.sleep(delayMs + SILENCE_MS_MAX, signal);
    }
  }
  const clock = new LateClock();
  const { services } = fakeServices();
  await using t = await testLink(services, { clock, log: silentLogger });
  await clock.advance(SILENCE_MS_MAX + PING_EVERY_MS);
  assert.ok((await t.link.services.ports.list({})).ok);
});

test("versions of one major number get along", () => {
  assert.equal(refuseLinkVersion("1.0"), null);
  assert.equal(refuseLinkVersion("1.99"), null);
  assert.match(refuseLinkVersion("2.0") ?? "", /1\.0.*2\.0/);
  assert.match(refuseLinkVersion(undefined) ?? "", /none that is known/);
});
