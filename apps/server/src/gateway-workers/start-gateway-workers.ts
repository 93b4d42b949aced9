/** Puts gateway workers in front of a server that serves everything else. */
import type { Logger } from "@atelier/base/logger";
import type { ControlPlane } from "@atelier/control-plane/start";
import type { DatabaseConnection } from "@atelier/database/database";
import type { GatewayMemory } from "@atelier/gateway/gateway-memory";
import type { Gateway } from "@atelier/gateway/start";
import type { Metrics } from "@atelier/host/metrics";
import type { Address } from "@atelier/host/option";
import { processClock as clock } from "@atelier/host/process-clock";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerConfig } from "../config.ts";
import { gatewayConfigOf } from "../gateway-config.ts";
import { createHttpServer, LAST_BYTES_MS, listen } from "../http-listener.ts";
import { tracingOptionsOf } from "../trace-options.ts";
import { GatewayWorkers } from "./gateway-workers.ts";
import { arriveFromWorkers } from "./main-thread-hop.ts";
import { toPlainConnection } from "./plain-connection.ts";

/** How many there are to be: 1 means that this thread serves. */
export function workersOf(config: ServerConfig, log: Logger): number {
  const wanted = config.gatewayWorkers;
  if (wanted < 2 || !config.aiGatewayEnabled) return 1;
  if (process.platform === "linux") return wanted;
  log.warn(
    { wanted, platform: process.platform },
    "gateway-workers needs Linux: one thread serves",
  );
  return 1;
}

type Parts = {
  readonly controlPlane: ControlPlane;
  readonly gateway: Gateway;
  readonly metrics: Metrics;
  /** Answers what is not the gateway's. It listens nowhere yet. */
  readonly server: Server;
  readonly memory: GatewayMemory;
  readonly connection: DatabaseConnection;
  readonly peersName: string;
  readonly count: number;
};

export type StartedWorkers = { readonly address: Address; drain(): Promise<void> };

/** Resolves once all of them listen. Drain them before `resources` end. */
export async function startGatewayWorkers(
  { config, log }: { readonly config: ServerConfig; readonly log: Logger },
  { controlPlane, gateway, metrics, server, memory, connection, peersName, count }: Parts,
  resources: AsyncDisposableStack,
): Promise<StartedWorkers> {
  const socketPath = await listenPrivately(server, resources);
  const workers = await GatewayWorkers.start({
    ...{ controlPlane, gateway, clock, log, count },
    peers: config.aiGatewayShareTrouble ? controlPlane.gatewayPeers : null,
    start: {
      memory,
      peersName,
      connection: toPlainConnection(connection),
      socketPath,
      previewWildcard: config.previewWildcard,
      address: await freeAddress(config.httpAddress),
      gateway: gatewayConfigOf(config),
      log: { format: config.logFormat, level: config.logLevel, colors: process.stderr.isTTY },
      tracing: config.tracing && tracingOptionsOf(config.tracing),
      shutdownTimeoutMs: config.shutdownTimeoutMs,
    },
  });
  metrics.addFrom(() => workers.collect());
  log.info({ workers: count }, "gateway workers serve");
  return {
    address: workers.address,
    drain: async () => {
      const timeoutMs = config.shutdownTimeoutMs + LAST_BYTES_MS;
      log.info({ workers: count, timeoutMs }, "draining gateway workers");
      const { cut } = await workers.drain(timeoutMs);
      if (cut > 0) log.warn({ connections: cut }, "connections cut at shutdown-timeout");
    },
  };
}

/** In a directory that no other user can enter. */
async function listenPrivately(server: Server, resources: AsyncDisposableStack): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "atelier-"));
  resources.defer(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "main.sock");
  arriveFromWorkers(server);
  server.listen(path);
  await once(server, "listening");
  return path;
}

/**
 * Sockets that share an address do not see that another program uses it in the same way: one that does
 * not share finds out. Of any port there is nothing to find out: the first worker gets one, and holds it.
 */
async function freeAddress(address: Address): Promise<Address> {
  if (address.port === 0) return address;
  const probe = createHttpServer(() => {});
  const bound = await listen(probe, address, "http-address");
  probe.close();
  await once(probe, "close");
  return bound;
}
