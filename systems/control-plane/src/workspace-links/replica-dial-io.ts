/** Dials another server for a workspace agent that is connected there. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { askOverSocket, type Link } from "@atelier/tunnel/link";
import { openSocket } from "@atelier/tunnel/open-socket";
import { RELAY_PASS_HEADER, type RelayPasses } from "../deployment/relay-pass.ts";
import { LINK_PAYLOAD_BYTES_MAX } from "./agent-link-io.ts";
import type { Holder } from "./link-registry.ts";
import { RELAY_PATH } from "./replica-link-io.ts";

const DIAL_MS_MAX = 5_000;

export type ReplicaDialDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly passes: RelayPasses;
};

/** Null: that server does not have the agent any more, or is not reached. */
export async function dialReplica(
  deps: ReplicaDialDeps,
  { replicaId, relayUrl }: Holder,
  agentId: string,
): Promise<Link | null> {
  if (relayUrl === null) return null;
  const url = new URL(RELAY_PATH.replace(":agent", agentId), relayUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const opened = await openSocket(
    {
      url,
      headers: { [RELAY_PASS_HEADER]: deps.passes.issue({ thingId: agentId, replicaId }) },
      timeoutMs: DIAL_MS_MAX,
      payloadBytesMax: LINK_PAYLOAD_BYTES_MAX,
      followsRedirects: false,
    },
    null,
  );
  if (opened.ok) return askOverSocket(opened.value, deps);
  const { failure } = opened;
  const why = failure.kind === "refused" ? { status: failure.status } : { error: failure.error };
  deps.log.warn({ ...why, server: url.host }, "another server was not reached for a workspace");
  return null;
}
