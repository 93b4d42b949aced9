/** Model, effort and planning of the next messages, small enough to stand below them. */
import { updateChat, getChat } from "@atelier/contract/http/chats";
import { REASONING_EFFORTS } from "@atelier/contract/chat/chat-words";
import { memo, type Ref } from "react";
import { useChange } from "../../api/use-endpoint.ts";
import { useChatModels } from "../model-choice/model-choice-fields.tsx";
import { chosenModel, effortChoices, effortFor } from "../model-choice/model-choice.ts";
import { ModelOptions } from "../model-choice/model-options.tsx";
import { useChat } from "../page/use-chat.ts";
import type { ComposerState } from "./use-composer.ts";

const LOOK =
  "min-h-9 truncate rounded-md border border-transparent bg-transparent px-1.5 text-xs text-muted hover:bg-hover hover:text-ink";

/** Its room is there before the models are known. */
const MODEL_WIDTH = "w-40";

type ComposerModelProps = Pick<ComposerState, "choice" | "setChoice"> & {
  readonly selectRef: Ref<HTMLSelectElement>;
};

/** Drawn when a choice changes, and not with each letter that is typed. */
export const ComposerModel = memo(function ComposerModel(props: ComposerModelProps) {
  const { choice, setChoice, selectRef } = props;
  const chat = useChat();
  const models = useChatModels();
  const update = useChange(updateChat, [getChat]);
  const isPlanning = chat.plan_mode === "plan";
  const wanted = choice?.modelConfigId ?? chat.last_model_config_id;
  const chosen = models.data === undefined ? undefined : chosenModel(models.data, wanted);
  const efforts = chosen === undefined ? [] : effortChoices(chosen);
  const effort = choice?.effort ?? chat.last_reasoning_effort ?? "";
  return (
    <>
      {models.data === undefined && <span className={MODEL_WIDTH} />}
      {models.data !== undefined && chosen !== undefined && (
        <select
          aria-label="Model"
          className={`${LOOK} ${MODEL_WIDTH}`}
          onChange={({ currentTarget }) => {
            const next = chosenModel(models.data, currentTarget.value);
            if (next === undefined) return;
            setChoice({ modelConfigId: next.id, effort: effortFor(next, effort) });
          }}
          ref={selectRef}
          value={chosen.id}
        >
          <ModelOptions models={models.data} />
        </select>
      )}
      {chosen !== undefined && efforts.length > 0 && (
        <select
          aria-label="Reasoning effort"
          className={`${LOOK} max-w-44`}
          onChange={({ currentTarget }) =>
            setChoice({
              modelConfigId: chosen.id,
              effort: REASONING_EFFORTS.find((each) => each === currentTarget.value) ?? "",
            })
          }
          value={effort}
        >
          {efforts.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
      <label className="inline-flex min-h-9 cursor-pointer items-center gap-1.5 rounded-md px-1.5 text-xs text-muted hover:bg-hover hover:text-ink">
        <input
          checked={isPlanning}
          onChange={({ currentTarget }) => {
            const body = { plan_mode: currentTarget.checked ? "plan" : "" } as const;
            update({ params: { chat: chat.id }, body }).catch(() => {}); // Failures are values here.
          }}
          type="checkbox"
        />
        Plan only
      </label>
    </>
  );
});
