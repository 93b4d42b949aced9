/** How a provider of Amazon Bedrock is used as it is configured: which model, which region, whose name. */
import { maskCredential } from "@atelier/base/mask";
import { bedrockBaseUrl, bedrockMistakes } from "@atelier/contract/bedrock-settings";
import type { BedrockAccess } from "@atelier/contract/rpc/gateway-ports";

/** In records, where no single key serves: credentials come from AWS and change. */
const CHAIN_HINT = "<aws chain>";
/** Where neither a setting nor the address names one, as of a proxy or of a test. */
const REGION_DEFAULT = "us-east-1";

/** What keeps the provider from being called. Null: nothing. */
export function accessMistake(access: BedrockAccess, baseUrl: string): string | null {
  const [mistake] = bedrockMistakes(
    {
      region: access.region,
      model: access.model,
      small_fast_model: access.smallFastModel,
      access_key: access.accessKey?.reveal(),
      access_key_secret: access.accessKeySecret?.reveal(),
      session_token: access.sessionToken?.reveal(),
      bearer_token: access.bearerToken?.reveal(),
      profile: access.profile,
      role_arn: access.roleArn,
    },
    baseUrl,
  );
  return mistake?.message ?? null;
}

/** The model that serves a request which names this one. */
export function servingModel(access: BedrockAccess, requested: string | null): string | null {
  const model = requested?.includes("haiku") === true ? access.smallFastModel : access.model;
  return model === "" ? null : model;
}

export function signingRegion(access: BedrockAccess, baseUrl: string): string {
  if (access.region !== null && access.region !== "") return access.region;
  return regionInHost(new URL(baseUrl).hostname) ?? REGION_DEFAULT;
}

/** `bedrock-runtime.eu-west-1.amazonaws.com`, also with FIPS and of a VPC endpoint. */
function regionInHost(host: string): string | null {
  return /(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/.exec(host)?.[1] ?? null; // prettier-ignore
}

/** Where Bedrock is administered, which is another host than where its models are called. */
export function controlAddress(baseUrl: string, region: string): { origin: URL; basePath: string } {
  const url = new URL(baseUrl);
  if (regionInHost(url.hostname) === null) {
    // A proxy, which leads to both.
    return { origin: url, basePath: url.pathname.replace(/\/+$/, "") };
  }
  const regional = new URL(bedrockBaseUrl(region)).hostname;
  const host = url.hostname.startsWith("bedrock-runtime") ? url.hostname : regional;
  const origin = new URL(`https://${host.replace("bedrock-runtime", "bedrock")}`);
  return { origin, basePath: "" };
}

/** Masked. Of a role, the credentials change: its own name says more. */
export function credentialHint({ bearerToken, accessKey, roleArn }: BedrockAccess): string {
  const single = roleArn === null ? (bearerToken ?? accessKey) : null;
  return single === null ? CHAIN_HINT : maskCredential(single.reveal());
}
