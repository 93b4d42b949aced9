/** What the command line says of a model for chats. */
import { fail, ok, type Result } from "@atelier/base/result";
import { ChatModelCallConfig } from "@atelier/contract/chat/model-call-config";
import { usageFailure, type CliFailure } from "./cli-failure.ts";
import { countOption, textOption } from "./command.ts";

const PERCENT = /^(?:100|\d{1,2})$/;

export const MODEL_OPTIONS = {
  displayName: textOption("--display-name <name>", "how people read it"),
  contextLimit: countOption("--context-limit <tokens>", "how much it takes in", 999_999_999),
  compressionThreshold: textOption(
    "--compression-threshold <percent>",
    "of the context at which older history is summarised; 0: always, 100: never",
  ),
  options: textOption("--options <json>", "how it is called: see docs/chat-models.md"),
};

export type ModelInput = {
  readonly displayName: string | undefined;
  readonly contextLimit: number | undefined;
  readonly compressionThreshold: string | undefined;
  readonly options: string | undefined;
};

export type ModelFields = {
  readonly display_name?: string;
  readonly context_limit?: number;
  readonly compression_threshold?: number;
  readonly options?: ChatModelCallConfig;
};

/** The fields that are given. */
export function modelFields(input: ModelInput): Result<ModelFields, CliFailure> {
  const { displayName, contextLimit, compressionThreshold: percent } = input;
  if (percent !== undefined && !PERCENT.test(percent)) {
    return fail(usageFailure("--compression-threshold is a whole number from 0 to 100."));
  }
  const options = input.options === undefined ? ok(undefined) : callConfig(input.options);
  if (!options.ok) return options;
  return ok({
    ...(displayName === undefined ? {} : { display_name: displayName }),
    ...(contextLimit === undefined ? {} : { context_limit: contextLimit }),
    ...(percent === undefined ? {} : { compression_threshold: Number(percent) }),
    ...(options.value === undefined ? {} : { options: options.value }),
  });
}

function callConfig(text: string): Result<ChatModelCallConfig, CliFailure> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fail(usageFailure("--options is no JSON."));
  }
  const parsed = ChatModelCallConfig.safeParse(json);
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") ?? "";
  return fail(
    usageFailure(`--options${place === "" ? "" : `, ${place}`}: ${issue?.message ?? ""}`),
  );
}
