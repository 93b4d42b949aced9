/** What the command line says of whose keys serve chats with a provider. */
import { choiceOption } from "./command.ts";

const SWITCH = ["on", "off"] as const;

export const KEY_POLICY_OPTIONS = {
  centralKeys: choiceOption("--central-keys <on|off>", "the company's keys serve chats", SWITCH),
  userKeys: choiceOption("--user-keys <on|off>", "people's own keys serve their chats", SWITCH),
  centralFallback: choiceOption(
    "--central-fallback <on|off>",
    "the company's keys serve chats of people without one of their own",
    SWITCH,
  ),
};

export type KeyPolicyOptions = {
  readonly [Name in keyof typeof KEY_POLICY_OPTIONS]: ReturnType<
    (typeof KEY_POLICY_OPTIONS)[Name]["valueOf"]
  >;
};

/** The fields that are given. */
export function keyPolicyFields({ centralKeys, userKeys, centralFallback }: KeyPolicyOptions) {
  return {
    ...(centralKeys === undefined ? {} : { central_api_key_enabled: centralKeys === "on" }),
    ...(userKeys === undefined ? {} : { allow_user_api_key: userKeys === "on" }),
    ...(centralFallback === undefined
      ? {}
      : { allow_central_api_key_fallback: centralFallback === "on" }),
  };
}
