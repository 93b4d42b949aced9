/** The lanes that need nothing installed: no proxy at all, the bare proxy, and Atelier. */
import { join } from "node:path";
import { startMeasuredServer, prepareServerRestart } from "../measured-server.ts";
import { pinServer, printedPort, startProgram } from "./child-processes.ts";
import { laneOf } from "./program-lane.ts";
import {
  nodeTrust,
  OPENAI_PATH,
  type LaneDeps,
  type LaneKind,
  type RestartWay,
  type RunningLane,
} from "./lane.ts";

const HERE = import.meta.dirname;
const CALLER_TOKEN = "abcdefghij-0123456789012345678901";
/** Of the provider that the measured gateways know. */
const GATEWAY_PATH = "/api/v2/ai-gateway/mock/v1/chat/completions";

const onThisNode = (): Promise<string> => Promise.resolve(`Node ${process.version}`);

export const DIRECT: LaneKind = {
  id: "direct",
  name: "direct",
  isUsual: true,
  speaksTls: false, // Neither driver does.
  prepare: () => Promise.resolve("nothing in between"),
  start: ({ upstream }) =>
    Promise.resolve({
      target: {
        port: Number(new URL(upstream.origin).port),
        path: OPENAI_PATH,
        token: upstream.key,
        headers: [],
      },
      pid: null,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
};

export const BARE: LaneKind = {
  id: "bare",
  name: "bare node proxy",
  isUsual: true,
  speaksTls: true,
  prepare: onThisNode,
  start: (deps) =>
    startScript(deps, "bare-proxy.ts", [deps.upstream.origin], {
      path: OPENAI_PATH,
      token: deps.upstream.key,
    }),
};

/** Below this no relay on Node's sockets can be. */
export const RAW: LaneKind = {
  ...BARE,
  id: "raw",
  name: "raw sockets, unread",
  isUsual: false,
  speaksTls: false,
  start: (deps) =>
    startScript(deps, "raw-relay.ts", [deps.upstream.origin], {
      path: OPENAI_PATH,
      token: deps.upstream.key,
    }),
};

export const L0: LaneKind = {
  id: "l0",
  name: "Atelier L0 (auth, relay)",
  isUsual: true,
  speaksTls: true,
  prepare: onThisNode,
  start: (deps) =>
    startScript(
      deps,
      "gateway-process.ts",
      [deps.upstream.origin, CALLER_TOKEN, deps.upstream.key],
      { path: GATEWAY_PATH, token: CALLER_TOKEN },
    ),
};

export const L1: LaneKind = {
  id: "l1",
  name: "Atelier L1 (all, strict recording)",
  isUsual: true,
  speaksTls: true,
  prepare: onThisNode,
  start: async (deps) => toLane(deps, await startMeasuredServer(serverOptions(deps))),
  prepareRestart: async (deps: LaneDeps, way: RestartWay) => {
    const restart = await prepareServerRestart(serverOptions(deps), way);
    return {
      start: async () => toLane(deps, await restart.start()),
      [Symbol.asyncDispose]: () => restart[Symbol.asyncDispose](),
    };
  },
};

/** About what a commit takes. */
const WAIT_MS = 2;

/** Between L0 and L1: what a request costs more because it waits for a disk, whoever records it. */
export const L0_WAITING: LaneKind = {
  ...L0,
  id: "l0-waiting",
  name: `Atelier L0, waits ${WAIT_MS} ms`,
  isUsual: false,
  start: (deps) =>
    startScript(
      deps,
      "gateway-process.ts",
      [deps.upstream.origin, CALLER_TOKEN, deps.upstream.key, "auto", "1", String(WAIT_MS)],
      { path: GATEWAY_PATH, token: CALLER_TOKEN },
    ),
};

/** Beside L0, before an upstream with TLS: all requests through undici. */
export const L0_HTTP2: LaneKind = {
  ...L0,
  id: "l0-http2",
  name: "Atelier L0, over HTTP/2",
  isUsual: false,
  start: (deps) =>
    startScript(
      deps,
      "gateway-process.ts",
      [deps.upstream.origin, CALLER_TOKEN, deps.upstream.key, "undici"],
      { path: GATEWAY_PATH, token: CALLER_TOKEN },
    ),
};

/** As many as the figures of one more say something about the next. */
const WORKERS = 2;

/** Beside L0: what several threads share costs something. Limits and breakers, which they share, are on. */
export const L0_WORKERS: LaneKind = {
  ...L0,
  id: "l0-workers",
  name: `Atelier L0, ${WORKERS} workers`,
  isUsual: false,
  start: (deps) =>
    startScript(
      deps,
      "gateway-process.ts",
      [deps.upstream.origin, CALLER_TOKEN, deps.upstream.key, "auto", String(WORKERS)],
      { path: GATEWAY_PATH, token: CALLER_TOKEN },
    ),
};

export const L1_WORKERS: LaneKind = {
  id: "l1-workers",
  name: `Atelier L1, ${WORKERS} workers`,
  isUsual: false,
  speaksTls: true,
  prepare: onThisNode,
  start: async (deps) => {
    const args = [`--gateway-workers=${WORKERS}`];
    return toLane(deps, await startMeasuredServer({ ...serverOptions(deps), args }));
  },
};

function serverOptions({ upstream }: LaneDeps): Parameters<typeof startMeasuredServer>[0] {
  return {
    upstreamUrl: `${upstream.origin}/v1`,
    key: upstream.key,
    env: nodeTrust(upstream),
  };
}

function toLane(
  { placement }: LaneDeps,
  server: Awaited<ReturnType<typeof startMeasuredServer>>,
): RunningLane {
  pinServer(server.pid, placement);
  return {
    target: { port: server.port, path: GATEWAY_PATH, token: server.token, headers: [] },
    pid: server.pid,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export async function startScript(
  { placement, upstream }: LaneDeps,
  file: string,
  args: readonly string[],
  { path, token }: { readonly path: string; readonly token: string },
): Promise<RunningLane> {
  const program = startProgram(process.execPath, [join(HERE, "..", file), ...args], {
    processors: placement?.gateway ?? null,
    env: nodeTrust(upstream),
  });
  return laneOf(program, async () => ({
    port: await printedPort(program),
    path,
    token,
    headers: [],
  }));
}
