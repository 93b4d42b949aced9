/** Whose keys serve chats with a provider, as one choice of a form and as the fields of its endpoints. */
import type { ModelProviderView } from "./provider-values.ts";

type Fields = Pick<
  ModelProviderView,
  "central_api_key_enabled" | "allow_user_api_key" | "allow_central_api_key_fallback"
>;

const FIELDS = {
  own_first: [true, true, true],
  company: [true, false, false],
  own_required: [true, true, false],
  own: [false, true, false],
} as const;
export type KeyPolicyChoice = keyof typeof FIELDS;

export const KEY_POLICY_CHOICES: readonly {
  readonly value: KeyPolicyChoice;
  readonly label: string;
}[] = [
  { value: "own_first", label: "People’s own, else the company’s" },
  { value: "company", label: "The company’s only" },
  { value: "own_required", label: "People’s own only" },
  { value: "own", label: "People’s own only, the company’s switched off" },
];

/** The last one is the same to people as the one before: it is offered where a program chose it. */
export function offeredKeyPolicies(stored: KeyPolicyChoice) {
  return KEY_POLICY_CHOICES.filter(({ value }) => value !== "own" || stored === "own");
}

export function keyPolicyFields(choice: KeyPolicyChoice): Fields {
  const [central, own, fallback] = FIELDS[choice];
  return {
    central_api_key_enabled: central,
    allow_user_api_key: own,
    allow_central_api_key_fallback: fallback,
  };
}

export function keyPolicyChoice(fields: Fields): KeyPolicyChoice {
  const { central_api_key_enabled: central, allow_user_api_key: own } = fields;
  if (!central) return "own";
  if (!own) return "company";
  return fields.allow_central_api_key_fallback ? "own_first" : "own_required";
}

export function isKeyPolicyChoice(text: string): text is KeyPolicyChoice {
  return Object.hasOwn(FIELDS, text);
}
