/** Where workspace agents dial in: lets in who has a workspace's token and speaks our version. */
import { fail, ok } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { linkWorkspaceAgent } from "@atelier/contract/http/workspace-sockets";
import { refuseLinkVersion, VERSION_HEADER } from "@atelier/tunnel/link-handshake";
import { headerToken } from "../http/presented-token.ts";
import type { RateLimit } from "../http/rate-limit.ts";
import type { UpgradeRoute } from "../http/upgrades-io.ts";
import type { AgentLinks, NewAgentSocket } from "./agent-links-io.ts";

/** More than the link lets be on its way, so that no write of a good peer is ever too long. */
export const LINK_PAYLOAD_BYTES_MAX = 32 * 1024 * 1024;

export type AgentLinkDeps = {
  readonly links: AgentLinks;
  readonly rateLimit: RateLimit;
  /** Null: the token lets nobody in. */
  readonly findAgentByToken: (
    token: Secret,
  ) => Promise<Pick<NewAgentSocket, "agent" | "hashedToken"> | null>;
};

export function agentLink({ links, rateLimit, findAgentByToken }: AgentLinkDeps): UpgradeRoute {
  return {
    path: linkWorkspaceAgent.path,
    payloadBytesMax: LINK_PAYLOAD_BYTES_MAX,
    prepare: async ({ headers, ip, userAgent }) => {
      const waitSeconds = rateLimit.take(`ip:${ip}`);
      if (waitSeconds !== null) {
        return fail({ code: "request.rate_limited", retryAfterSeconds: waitSeconds });
      }
      const token = headerToken(headers);
      const found = token === null ? null : await findAgentByToken(new Secret(token));
      if (found === null) return fail({ status: 401, text: "The token is not valid.\n" });
      if (found.agent.isOwnerSuspended) {
        return fail({ status: 503, text: "The owner of this workspace is suspended.\n" });
      }
      const version = headers[VERSION_HEADER];
      const refusal = refuseLinkVersion(typeof version === "string" ? version : undefined);
      if (refusal !== null) return fail({ status: 426, text: `${refusal}\n` });
      return ok((socket) => links.attach(socket, { ...found, ip, userAgent }));
    },
  };
}
