/** How a model provider does, in few words: what an operator sees at a glance. */
import type { Tone } from "../ui/badge.tsx";
import { takesKeys } from "./provider-kinds.ts";
import type { ModelProviderView } from "./provider-values.ts";

export type StateWords = { readonly tone: Tone; readonly words: string };

type ProviderKey = ModelProviderView["api_keys"][number];

export function providerState({ type, status, api_keys: keys }: ModelProviderView): StateWords {
  if (status.state === "disabled") return { tone: "neutral", words: "switched off" };
  if (status.state === "error") return { tone: "bad", words: "cannot serve" };
  const inService = keys.filter(({ enabled }) => enabled);
  const isWithoutKeys = takesKeys(type) && inService.length > 0;
  if (isWithoutKeys && inService.every(({ state }) => state === "permanent")) {
    return { tone: "bad", words: "all keys refused" };
  }
  if (status.breakers.some(({ state }) => state === "open")) {
    return { tone: "bad", words: "not answering" };
  }
  if (isWithoutKeys && inService.every(({ state }) => state === "temporary")) {
    return { tone: "warn", words: "all keys rest" };
  }
  const isHurt = inService.some(({ state }) => state !== "valid" && state !== "unknown");
  if (isHurt || status.breakers.length > 0) return { tone: "warn", words: "partly working" };
  return { tone: "good", words: "in service" };
}

/** What helps, by the words of a state. Absent: nothing is wrong. */
export const PROVIDER_REMEDIES: Readonly<Record<string, string>> = {
  "switched off": "Switch it on when it is to serve.",
  "cannot serve": "What is wrong is told with it. Correct its address or settings.",
  "all keys refused":
    "The provider takes none of its keys. Add one that works, or have one tried again.",
  "not answering":
    "Requests are held back after repeated faults, and tried again by themselves. Test it to see what it answers.",
  "all keys rest":
    "All keys are over their limit and come back by themselves. Another key would stand in.",
  "partly working": "Others stand in for what does not work. Look at its keys.",
};

/** "2 of 3 keys work". */
export function keysWords({ type, api_keys: keys }: ModelProviderView): string {
  if (!takesKeys(type)) return "takes no keys";
  if (keys.length === 0) return "no key: callers bring their own";
  const working = keys.filter(({ enabled, state }) => enabled && isFine(state)).length;
  if (working === keys.length) return keys.length === 1 ? "1 key works" : `${working} keys work`;
  return `${working} of ${keys.length} keys ${working === 1 ? "works" : "work"}`;
}

export function keyState({ enabled, state }: ProviderKey): StateWords {
  if (!enabled) return { tone: "neutral", words: "out of service" };
  switch (state) {
    case "valid":
      return { tone: "good", words: "works" };
    case "temporary":
      return { tone: "warn", words: "rests" };
    case "permanent":
      return { tone: "bad", words: "refused" };
    case "unknown":
      return { tone: "neutral", words: "not in service here" };
  }
}

function isFine(state: ProviderKey["state"]): boolean {
  return state === "valid" || state === "unknown";
}
