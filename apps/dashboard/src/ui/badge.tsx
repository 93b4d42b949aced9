/** A state in one word. The word says it; the colour only helps. */
import type { ReactNode } from "react";

export type Tone = "good" | "warn" | "bad" | "neutral" | "accent";

const LOOKS: Readonly<Record<Tone, string>> = {
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  neutral: "bg-hover text-muted",
  accent: "bg-accent-soft text-accent",
};

type BadgeProps = { readonly tone?: Tone; readonly children: ReactNode };

export function Badge({ tone = "neutral", children }: BadgeProps) {
  return (
    <span
      className={`inline-flex items-center rounded px-1.5 text-xs leading-5 font-medium whitespace-nowrap ${LOOKS[tone]}`}
    >
      {children}
    </span>
  );
}
