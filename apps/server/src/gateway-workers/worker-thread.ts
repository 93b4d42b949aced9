/**
 * A gateway worker: a thread that listens on the server's address beside others, serves the gateway's
 * requests, and hands all else to the main thread. It ends once it is drained, or with the process.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { systemRandom } from "@atelier/base/system-random";
import { CallerAuthorizerElsewhere } from "@atelier/control-plane/caller-authorizer-elsewhere";
import {
  RECORDER_CONNECTIONS_MAX,
  RecorderElsewhere,
} from "@atelier/control-plane/recorder-elsewhere";
import type { InterceptionRecorder } from "@atelier/contract/rpc/gateway-ports";
import { openDatabase } from "@atelier/database/database";
import type { FirstGateway } from "@atelier/gateway/gateway-memory";
import { startGateway, type Gateway } from "@atelier/gateway/start";
import { HttpDrain } from "@atelier/host/http-drain";
import { startLogger } from "@atelier/host/logs";
import { createMetrics, type Metrics } from "@atelier/host/metrics";
import { processClock as clock } from "@atelier/host/process-clock";
import { startTracing } from "@atelier/host/tracing";
import type { Server } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { createHttpServer, HEAD_BYTES_MAX, LAST_BYTES_MS, listen } from "../http-listener.ts";
import { refuseUpgrade } from "../plain-answers.ts";
import { gatewayPrefixes, targetOfRequest } from "../request-target.ts";
import { abortingAfter } from "./aborting-after.ts";
import { MainThreadHop } from "./main-thread-hop.ts";
import { MessageProviderSource } from "./provider-messages.ts";
import { MessageRecorder, type RecordBatch, type RecordedBatch } from "./recorder-messages.ts";
import { fromPlainConnection } from "./plain-connection.ts";
import { RecordingChannel } from "./recording-channel.ts";
import { ThreadChannel } from "./thread-channel.ts";
import type { AsksOfMain, AsksOfWorker, WorkerStart } from "./worker-protocol.ts";

/** How often uses of credentials are told to the main thread. */
const USES_EVERY_MS = 1_000;
const RECORD_MS_MAX = 3_000;

const hearsNothing = (): Disposable => ({ [Symbol.dispose]: () => {} });

if (parentPort !== null) await work(parentPort, workerData as WorkerStart);

async function work(port: NonNullable<typeof parentPort>, start: WorkerStart): Promise<void> {
  const log = startLogger(start.log).child({ worker: start.membership.member });
  const random = systemRandom;
  const metrics = createMetrics({ ofProcess: false });
  const tracing = start.tracing && (await startTracing(start.tracing, { log, clock, random }));
  const providers = new MessageProviderSource(start.providers);
  const authorizer = new CallerAuthorizerElsewhere({
    clock,
    log,
    load: (value) => channel.ask("load", { by: "token", value }),
    loadOfKey: (value) => channel.ask("load", { by: "key", value }),
  });
  if (start.isConnected) authorizer.hear({ kind: "resync" });
  const recording = startRecording(start, { clock, log, metrics }, (batch) =>
    channel.ask("record", batch),
  );
  const { recorder } = recording;
  const gateway = startGateway({
    ...{ providers, authorizer, recorder, clock, random, log, metrics },
    // The first gateway hears them, and writes down what it makes of them for all.
    peers: { tell: (news) => sent(channel.ask("tellPeers", news)), hear: hearsNothing },
    firstGateway: firstGatewayOver({ ask: (kind, ask) => channel.ask(kind, ask) }),
    tracer: tracing?.tracer ?? null,
    config: start.gateway,
    membership: start.membership,
  });
  const hop = new MainThreadHop(start.socketPath);
  const server = createServerFor(gateway, hop, start);
  const connections = new HttpDrain(server);
  const direct = gateway.listenOn(server, { ...directlyRead(start), drain: connections });
  const stopped = new AbortController();
  const tellUses = async (): Promise<void> => {
    const uses = authorizer.takeUses();
    if (uses.length > 0) await channel.ask("used", uses);
  };
  const channel = new ThreadChannel<AsksOfWorker, AsksOfMain>(port, {
    providers: (plain) => {
      providers.take(plain);
      return null;
    },
    news: (news) => {
      authorizer.hear(news);
      return null;
    },
    collect: () => metrics.collect(),
    drain: async () => {
      const timeoutMs = start.shutdownTimeoutMs;
      const [{ cut }] = await Promise.all([
        connections.drain(clock, timeoutMs + LAST_BYTES_MS),
        abortingAfter(clock, timeoutMs, (signal) => gateway.drain(signal)),
      ]);
      direct[Symbol.dispose]();
      stopped.abort(new Error("drained"));
      await abortingAfter(clock, RECORD_MS_MAX, (signal) => recorder.drain(signal));
      await tellUses();
      await gateway[Symbol.asyncDispose]();
      await recording[Symbol.asyncDispose]();
      await tracing?.[Symbol.asyncDispose]();
      hop.close();
      return { cut };
    },
  });
  const address = await listen(server, start.address, "http-address", { reusePort: true });
  server.on("error", (error) => log.error({ error }, "listener failed"));
  await channel.ask("listening", address);
  while (!stopped.signal.aborted) {
    await clock.sleep(USES_EVERY_MS, stopped.signal).catch(() => {}); // Drained: the loop ends.
    await tellUses();
  }
}

function firstGatewayOver({
  ask,
}: Pick<ThreadChannel<AsksOfWorker, AsksOfMain>, "ask">): FirstGateway {
  let ids = 0;
  return {
    newId: () => (ids += 1),
    claim: (claim) => ask("claimSlot", claim),
    leave: (id) => sent(ask("leaveSlot", id)),
    keyRefused: (refused) => sent(ask("keyRefused", refused)),
  };
}

/** Without the main thread, this one is at its end, too. */
function sent(told: Promise<null>): void {
  told.catch(() => {});
}

type Recording = AsyncDisposable & { readonly recorder: InterceptionRecorder };

/** In mode `strict` over connections of its own, else through the main thread. */
function startRecording(
  { recording }: WorkerStart,
  deps: { readonly clock: Clock; readonly log: Logger; readonly metrics: Metrics },
  send: (batch: RecordBatch) => Promise<RecordedBatch>,
): Recording {
  const { log } = deps;
  if (recording === null) {
    const recorder = new MessageRecorder(send, (lost, error) =>
      log.error({ lost, error }, "records of gateway requests are lost"),
    );
    return { recorder, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const resources = new AsyncDisposableStack();
  const { connection, peersName, ...ours } = recording;
  const database = resources.use(
    openDatabase({
      connection: fromPlainConnection(connection),
      applicationName: "atelier gateway worker",
      connectionsMax: RECORDER_CONNECTIONS_MAX,
      log,
    }),
  );
  const peers = resources.use(new RecordingChannel(peersName));
  const recorder = resources.use(new RecorderElsewhere({ ...deps, ...ours, database, peers }));
  return { recorder, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** What the gateway may read by itself: as the server has it. */
function directlyRead({ previewWildcard }: WorkerStart) {
  return { headBytesMax: HEAD_BYTES_MAX, prefixOf: gatewayPrefixes(previewWildcard) };
}

/** The gateway's requests are served here, all others by the main thread. */
function createServerFor(
  gateway: Gateway,
  hop: MainThreadHop,
  { previewWildcard: wildcard }: WorkerStart,
): Server {
  const server = createHttpServer((req, res) => {
    const target = targetOfRequest(req, wildcard);
    if (target.kind === "gateway") gateway.handle(req, res, target);
    else hop.forward(req, res);
  });
  server.on("upgrade", (req, socket, head) => {
    if (targetOfRequest(req, wildcard).kind === "gateway") refuseUpgrade(socket);
    else hop.upgrade(req, socket, head);
  });
  return server;
}
