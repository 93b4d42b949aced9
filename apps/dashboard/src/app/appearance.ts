/** Light, dark, or as the system has it: what the person chose on this device. */
import { keep, kept } from "../browser/host.ts";

export const APPEARANCES = ["system", "light", "dark"] as const;
export type Appearance = (typeof APPEARANCES)[number];

/** public/appearance.js reads the same name before the first paint. */
const NAME = "appearance";

export function chosenAppearance(): Appearance {
  const value = kept("device", NAME);
  return APPEARANCES.find((each) => each === value) ?? "system";
}

export function chooseAppearance(appearance: Appearance): void {
  keep("device", NAME, appearance === "system" ? null : appearance);
  const root = document.documentElement;
  if (appearance === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = appearance;
}
