/** The options that say a model provider's settings, and reading those that are secret. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ModelProviderSettings } from "@atelier/contract/http/ai-providers";
import { usageFailure, type CliFailure } from "./cli-failure.ts";
import type { Cli } from "./cli.ts";
import { limitOption, switchOption, textOption } from "./command.ts";
import { secretFromFile, secretFromInput } from "./secret-input.ts";

export const KEY_LIMIT_OPTIONS = {
  maxConcurrencyPerKey: limitOption(
    "--max-concurrency-per-key <n>",
    "requests that each key serves at once in one server; others wait. none: no limit",
    1_000_000,
  ),
};

export const SETTING_OPTIONS = {
  apiVersion: textOption("--api-version <version>", "of Azure OpenAI, where its address needs one"),
  region: textOption("--region <region>", "of AWS; gives the address of Bedrock, too"),
  model: textOption("--model <id>", "of Bedrock: serves all requests but those for a haiku"),
  smallFastModel: textOption("--small-fast-model <id>", "of Bedrock: serves those for a haiku"),
  awsAccessKey: textOption(
    "--aws-access-key <id>",
    "default: what the server's environment offers",
  ),
  awsSecretStdin: switchOption("--aws-secret-stdin", "read the access key's secret from stdin"),
  awsSecretFile: textOption("--aws-secret-file <path>", "read it from a file"),
  awsSessionTokenFile: textOption("--aws-session-token-file <path>", "of a temporary access key"),
  bearerTokenStdin: switchOption("--bearer-token-stdin", "read a Bedrock API key from stdin"),
  bearerTokenFile: textOption("--bearer-token-file <path>", "read it from a file"),
  awsProfile: textOption("--aws-profile <name>", "in the server's AWS configuration files"),
  roleArn: textOption("--role-arn <arn>", "role that the server assumes"),
  stsEndpoint: textOption("--sts-endpoint <url>", "gives out the role; default: the region's own"),
};

export type SettingOptions = {
  readonly [Name in keyof typeof SETTING_OPTIONS]: ReturnType<
    (typeof SETTING_OPTIONS)[Name]["valueOf"]
  >;
};

/** Those that are given; an empty text stays one. */
export async function providerSettings(
  cli: Cli,
  options: SettingOptions,
): Promise<Result<ModelProviderSettings, CliFailure>> {
  if (options.awsSecretStdin && options.bearerTokenStdin) {
    return fail(usageFailure("Stdin holds one secret: an access key's, or a Bedrock API key."));
  }
  const secrets: Record<string, string> = {};
  for (const { setting, isFromInput, path, option } of secretSources(options)) {
    if (!isFromInput && path === undefined) continue;
    const secret = isFromInput
      ? await secretFromInput(cli, `--${option}-stdin`)
      : await secretFromFile(path ?? "", `--${option}-file`);
    if (!secret.ok) return secret;
    secrets[setting] = secret.value.reveal();
  }
  const texts = {
    api_version: options.apiVersion,
    region: options.region,
    model: options.model,
    small_fast_model: options.smallFastModel,
    access_key: options.awsAccessKey,
    profile: options.awsProfile,
    role_arn: options.roleArn,
    sts_endpoint: options.stsEndpoint,
  };
  const given = Object.entries(texts).filter(([, value]) => value !== undefined);
  return ok({ ...Object.fromEntries(given), ...secrets });
}

type SecretSource = {
  readonly setting: keyof ModelProviderSettings;
  /** Without `-stdin` or `-file`. */
  readonly option: string;
  readonly isFromInput: boolean;
  readonly path: string | undefined;
};

function secretSources(options: SettingOptions): readonly SecretSource[] {
  return [
    {
      setting: "access_key_secret",
      option: "aws-secret",
      isFromInput: options.awsSecretStdin,
      path: options.awsSecretFile,
    },
    {
      setting: "session_token",
      option: "aws-session-token",
      isFromInput: false,
      path: options.awsSessionTokenFile,
    },
    {
      setting: "bearer_token",
      option: "bearer-token",
      isFromInput: options.bearerTokenStdin,
      path: options.bearerTokenFile,
    },
  ];
}
