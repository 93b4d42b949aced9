/** A model that was chosen for some work, and what is wrong with it, if anything is. */
import { Badge } from "../ui/badge.tsx";
import type { ChatModelView } from "./model-values.ts";
import { modelState, nameOfModel } from "./model-words.ts";

type ChosenModelProps = {
  readonly model: ChatModelView;
  readonly effort: string | undefined;
};

export function ChosenModel({ model, effort }: ChosenModelProps) {
  const { tone, words } = modelState(model);
  return (
    <>
      {nameOfModel(model)} {tone !== "good" && <Badge tone={tone}>{words}</Badge>}
      {effort !== undefined && <div className="text-xs text-muted">effort {effort}</div>}
    </>
  );
}
