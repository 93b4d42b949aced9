/**
 * One upstream client under load, in a process of its own: CPU per exchange is this process's.
 * Usage: upstream-load.ts <JSON of `Load`>; prints a number of microseconds.
 */
import { systemClock } from "@atelier/base/system-clock";
import { openRawUpstream } from "@atelier/gateway/upstream/raw-upstream-io";
import { openUndiciUpstream } from "@atelier/gateway/upstream/undici-upstream-io";
import type { UpstreamClient } from "@atelier/gateway/upstream/upstream-client";

export type Load = {
  readonly client: "raw" | "undici";
  readonly origin: string;
  readonly ca: string;
  readonly path: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly exchanges: number;
};

const WARM_UP_SHARE = 0.4;

async function main(load: Load): Promise<void> {
  const { origin, ca } = load;
  const timeouts = { connectMsMax: 10_000, headMsMax: 60_000, silenceMsMax: 60_000 };
  const client =
    load.client === "raw"
      ? openRawUpstream({ origin, ca, timeouts, clock: systemClock })
      : openUndiciUpstream({ origin, ca, timeouts });
  // A connection that is made while it is measured costs more than what is measured.
  const warmUp = Math.max(load.connections, Math.round(load.exchanges * WARM_UP_SHARE));
  await run(client, load, warmUp);
  const before = process.cpuUsage();
  await run(client, load, load.exchanges);
  const used = process.cpuUsage(before);
  console.log((used.user + used.system) / load.exchanges);
  await client.close();
}

function run(client: UpstreamClient, load: Load, exchanges: number): Promise<void> {
  const body = Buffer.alloc(load.bodyBytes, "x");
  const headers = ["Content-Type", "application/json", "Authorization", "Bearer made-up-key"];
  const call = { method: "POST", path: load.path, headers, body };
  const done = Promise.withResolvers<void>();
  let begun = 0;
  let ended = 0;
  const next = (): void => {
    if (begun === exchanges) return;
    begun += 1;
    client.send(call, {
      head: (status) => {
        if (status !== 200) done.reject(new Error(`the mock answered ${status}`));
      },
      data: () => true,
      end: () => {
        ended += 1;
        if (ended === exchanges) done.resolve();
        else next();
      },
      failed: ({ cause, detail }) => done.reject(new Error(`${cause}: ${detail}`)),
    });
  };
  for (let i = 0; i < load.connections; i += 1) next();
  return done.promise;
}

await main(JSON.parse(process.argv[2] ?? "") as Load); // Our own runner's argument.
