/** What is known of this deployment's health, as one sentence for each part. */
import type { CallAnswer } from "@atelier/contract/client";
import type { buildInfo } from "@atelier/contract/http/deployment";
import { PROVIDER_REMEDIES, providerState } from "../gateway/provider-state.ts";
import type { ModelProviderView } from "../gateway/provider-values.ts";
import type { ChatModelView } from "../chat-models/model-values.ts";
import { modelState, nameOfModel, OBSTACLES } from "../chat-models/model-words.ts";
import type { Tone } from "../ui/badge.tsx";

export type HealthFinding = {
  readonly name: string;
  readonly tone: Extract<Tone, "good" | "warn" | "bad">;
  readonly words: string;
  readonly detail: string;
  /** What helps. Absent: nothing is wrong. */
  readonly remedy?: string;
  /** Where that is done. */
  readonly link?: {
    readonly to: string;
    readonly search?: Readonly<Record<string, string>>;
    readonly words: string;
  };
};

/** An answer to a probe: how long it took, or null when there was none. */
export type Probe = { readonly isOk: boolean; readonly tookMs: number };

const SLOW_MS = 1_000;

export function serverFinding(probe: Probe, version: string): HealthFinding {
  const detail = `Version ${version}, answered in ${Math.round(probe.tookMs)} ms.`;
  if (!probe.isOk) {
    const remedy = "Look whether it runs, and into its log.";
    return { name: "Server", tone: "bad", words: "not answering", detail, remedy };
  }
  return probe.tookMs > SLOW_MS
    ? {
        ...{ name: "Server", tone: "warn", words: "slow", detail },
        remedy: "It has too much to do, or the way to it is long. Its metrics tell which.",
      }
    : { name: "Server", tone: "good", words: "fine", detail };
}

export function databaseFinding(probe: Probe): HealthFinding {
  return probe.isOk
    ? { name: "Database", tone: "good", words: "fine", detail: "It answers the server." }
    : {
        name: "Database",
        tone: "bad",
        words: "not answering",
        detail: "Records and changes cannot be written.",
        remedy: "Look into the server's log and docs/runbooks/database-unreachable.md.",
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
        detail: `The server tells tools and machines to come to ${accessUrl}, and you came to ${browserUrl}.`,
        remedy: "Set the option access-url if the first does not lead here for them.",
        link: { to: "/deployment/overview", search: { q: "access-url" }, words: "Options" },
      };
}

/** Passwords and tokens must not go over a network as they are; within one machine they may. */
export function encryptionFinding(browserUrl: string): HealthFinding {
  const { protocol, hostname } = new URL(browserUrl);
  const name = "Encryption";
  if (protocol === "https:") {
    return { name, tone: "good", words: "fine", detail: "This page came by TLS." };
  }
  if (hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.")) {
    return { name, tone: "good", words: "not needed", detail: "This page came from this machine." };
  }
  return {
    ...{ name, tone: "warn", words: "none" },
    detail: "This page, your password and your tokens travel so that others can read them.",
    remedy:
      "Put a proxy with a certificate in front, and set the option access-url to its address.",
  };
}

/** Whether agents have a model where nobody chooses one. */
export function defaultModelFinding(models: readonly ChatModelView[]): HealthFinding {
  const name = "Model for agents";
  const link = { to: "/ai/settings/models", words: "Models" };
  const usual = models.find((model) => model.is_default);
  if (usual === undefined) {
    const detail = "There is no model yet: agents cannot work.";
    return { name, tone: "warn", words: "none", detail, remedy: "Add one.", link };
  }
  const { tone, words } = modelState(usual);
  const detail = `The default is ${nameOfModel(usual)}.`;
  if (tone === "good") return { name, tone, words, detail };
  const reason = usual.unavailable_reason;
  const remedy =
    usual.enabled && reason !== undefined
      ? OBSTACLES[reason].remedy
      : "Switch it on, or make another one the default.";
  return { name, tone: "bad", words, detail, remedy, link };
}

/** "All is well.", or how much is not. */
export function summaryOf(findings: readonly HealthFinding[]): string {
  const bad = findings.filter(({ tone }) => tone === "bad").length;
  const odd = findings.filter(({ tone }) => tone === "warn").length;
  if (bad + odd === 0) return "All is well.";
  const of = (count: number, words: string): readonly string[] =>
    count === 0 ? [] : [`${count} ${words}`];
  return `${[...of(bad, bad === 1 ? "thing is broken" : "things are broken"), ...of(odd, odd === 1 ? "deserves a look" : "deserve a look")].join(", ")}.`;
}

export function providerFinding(provider: ModelProviderView): HealthFinding {
  const { tone, words } = providerState(provider);
  const { warnings } = provider.status;
  const remedy = PROVIDER_REMEDIES[words];
  const to = `/ai/settings/providers/${provider.name}`;
  return {
    name: `Model provider ${provider.name}`,
    tone: tone === "good" || tone === "bad" ? tone : "warn",
    words,
    detail: warnings.length === 0 ? provider.base_url : warnings.join(" "),
    ...(remedy === undefined ? {} : { remedy, link: { to, words: provider.name } }),
  };
}
