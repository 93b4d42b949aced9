/** What is known of this deployment's health, as one sentence for each part. */
import type { CallAnswer } from "@atelier/contract/client";
import type { buildInfo } from "@atelier/contract/http/deployment";
import { providerState } from "../gateway/provider-state.ts";
import type { ModelProviderView } from "../gateway/provider-values.ts";
import type { Tone } from "../ui/badge.tsx";

export type HealthFinding = {
  readonly name: string;
  readonly tone: Extract<Tone, "good" | "warn" | "bad">;
  readonly words: string;
  readonly detail: string;
};

/** An answer to a probe: how long it took, or null when there was none. */
export type Probe = { readonly isOk: boolean; readonly tookMs: number };

const SLOW_MS = 1_000;

export function serverFinding(probe: Probe, version: string): HealthFinding {
  const detail = `Version ${version}, answered in ${Math.round(probe.tookMs)} ms.`;
  if (!probe.isOk) return { name: "Server", tone: "bad", words: "not answering", detail };
  return probe.tookMs > SLOW_MS
    ? { name: "Server", tone: "warn", words: "slow", detail }
    : { name: "Server", tone: "good", words: "fine", detail };
}

export function databaseFinding(probe: Probe): HealthFinding {
  return probe.isOk
    ? { name: "Database", tone: "good", words: "fine", detail: "It answers the server." }
    : {
        name: "Database",
        tone: "bad",
        words: "not answering",
        detail:
          "Records and changes cannot be written. Look into the server's log and docs/runbooks/database-unreachable.md.",
      };
}

/** Tools are told the access URL: they must come out where this browser does. */
export function accessUrlFinding(
  { external_url: accessUrl }: CallAnswer<typeof buildInfo>,
  browserUrl: string,
): HealthFinding {
  const isSame = accessUrl.replace(/\/+$/, "") === browserUrl;
  return isSame
    ? { name: "Access URL", tone: "good", words: "fine", detail: `${accessUrl} is this address.` }
    : {
        name: "Access URL",
        tone: "warn",
        words: "another address",
        detail: `The server tells tools and machines to come to ${accessUrl}, and you came to ${browserUrl}. Set the option access-url if the first does not lead here for them.`,
      };
}

export function providerFinding(provider: ModelProviderView): HealthFinding {
  const { tone, words } = providerState(provider);
  const { warnings } = provider.status;
  return {
    name: `Model provider ${provider.name}`,
    tone: tone === "good" || tone === "bad" ? tone : "warn",
    words,
    detail: warnings.length === 0 ? provider.base_url : warnings.join(" "),
  };
}
