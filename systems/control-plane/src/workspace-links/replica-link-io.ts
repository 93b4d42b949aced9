/**
 * Where other servers dial for a workspace agent that is connected to this one. Only this server's
 * own links are given: what was relayed once is not relayed again.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import { relayOverSocket } from "@atelier/tunnel/link";
import { RELAY_PASS_HEADER, type RelayPasses } from "../deployment/relay-pass.ts";
import type { UpgradeRoute } from "../http/upgrades-io.ts";
import { LINK_PAYLOAD_BYTES_MAX } from "./agent-link-io.ts";
import type { AgentLinks } from "./agent-links-io.ts";

export const RELAY_PATH = "/internal/workspace-link/:agent";

export type ReplicaLinkDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly replicaId: string;
  readonly links: AgentLinks;
  readonly passes: RelayPasses;
};

export function replicaLink(deps: ReplicaLinkDeps): UpgradeRoute {
  const { replicaId, links, passes } = deps;
  return {
    path: RELAY_PATH,
    payloadBytesMax: LINK_PAYLOAD_BYTES_MAX,
    prepare: async ({ headers, params }) => {
      const agentId = params["agent"] ?? "";
      const pass = headers[RELAY_PASS_HEADER];
      // To anybody else it looks as if there were nothing.
      const wanted = { thingId: agentId, replicaId };
      const isGood = typeof pass === "string" && passes.isGood(pass, wanted);
      if (!isGood) return fail({ code: "request.route_unknown" });
      const link = links.local(agentId);
      if (link === null) return fail({ code: "resource.not_found" });
      return ok(async (socket) => {
        const relay = relayOverSocket(socket, { target: () => link.session }, deps);
        // The other server looks anew for where the agent went.
        await Promise.race([relay.closed, link.closed]);
        relay.close();
      });
    },
  };
}
