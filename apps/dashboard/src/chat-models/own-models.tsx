/** Which models a person chose for chats of theirs. */
import {
  listUserModelOverrides,
  setUserModelOverride,
  USER_MODEL_OVERRIDE_CONTEXTS,
  USER_MODEL_OVERRIDE_MODES,
  type UserModelOverrideContext,
} from "@atelier/contract/http/chat-models";
import { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { CallAnswer } from "@atelier/contract/client";
import { useState } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { problemOfFields } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { Panel } from "../ui/panel.tsx";
import { ChosenModel } from "./chosen-model.tsx";
import { ModelChoice, type ModelChoiceTexts } from "./model-choice.tsx";
import type { ChatModelView } from "./model-values.ts";
import { ownModes, OWN_WORK } from "./model-words.ts";
import { ORGANIZATION } from "./organization.ts";

type Override = CallAnswer<typeof listUserModelOverrides>["overrides"][number];
type Row = { readonly context: UserModelOverrideContext; readonly override: Override | undefined };

const ME = { ...ORGANIZATION, user: "me" } as const;

type OwnModelsProps = {
  readonly all: readonly ChatModelView[];
  /** What is offered. */
  readonly usable: readonly ChatModelView[];
};

export function OwnModels({ all, usable }: OwnModelsProps) {
  const query = useEndpoint(listUserModelOverrides, { params: ME });
  const [choosing, setChoosing] = useState<Row | null>(null);
  return (
    <Panel about="Where you choose nothing in a chat itself." title="Your models">
      <Loaded query={query} what="your models">
        {({ overrides, is_allowed: isAllowed }) => (
          <>
            {!isAllowed && (
              <p className="mb-4 rounded-md bg-warn-soft p-3">
                Administrators do not let people choose models: what you chose does not count.
              </p>
            )}
            <DataTable
              columns={columns(all, setChoosing)}
              label="Work and your models"
              rowKey={({ context }) => context}
              rows={USER_MODEL_OVERRIDE_CONTEXTS.map((context) => ({
                context,
                override: overrides.find((each) => each.context === context),
              }))}
            />
          </>
        )}
      </Loaded>
      <Modal
        about={choosing === null ? undefined : OWN_WORK[choosing.context].about}
        isOpen={choosing !== null}
        onClose={() => setChoosing(null)}
        title={choosing === null ? "" : OWN_WORK[choosing.context].title}
      >
        {choosing !== null && (
          <OwnModelForm models={usable} onDone={() => setChoosing(null)} row={choosing} />
        )}
      </Modal>
    </Panel>
  );
}

function columns(
  models: readonly ChatModelView[],
  onChoose: (row: Row) => void,
): readonly Column<Row>[] {
  return [
    {
      title: "Work",
      cell: ({ context }) => (
        <>
          <span className="font-medium">{OWN_WORK[context].title}</span>
          <div className="text-xs text-muted">{OWN_WORK[context].about}</div>
        </>
      ),
    },
    { title: "Model", cell: (row) => <Chosen models={models} row={row} /> },
    {
      title: "Actions",
      isActions: true,
      cell: (row) => (
        <Button
          aria-label={`Choose for ${OWN_WORK[row.context].title}`}
          onClick={() => onChoose(row)}
        >
          Choose
        </Button>
      ),
    },
  ];
}

function Chosen({ models, row }: { readonly models: readonly ChatModelView[]; readonly row: Row }) {
  const { context, override } = row;
  if (override?.mode !== "model") {
    const mode = override?.mode ?? "deployment_default";
    const words = ownModes(context).find(({ value }) => value === mode)?.label;
    return <span className="text-muted">{words}</span>;
  }
  const model = models.find(({ id }) => id === override.model_config_id);
  if (model === undefined) return <Badge tone="bad">cannot be used</Badge>;
  return <ChosenModel effort={override.reasoning_effort} model={model} />;
}

type OwnModelFormProps = {
  readonly row: Row;
  readonly models: readonly ChatModelView[];
  readonly onDone: () => void;
};

function OwnModelForm({ row: { context, override }, models, onDone }: OwnModelFormProps) {
  const set = useChange(setUserModelOverride, [listUserModelOverrides]);
  const form = useForm<ModelChoiceTexts>({
    initial: {
      mode: override?.mode ?? "deployment_default",
      model_config_id: override?.model_config_id ?? "",
      reasoning_effort: override?.reasoning_effort ?? "",
    },
    submit: async (texts) => {
      const mode = USER_MODEL_OVERRIDE_MODES.find((each) => each === texts.mode);
      const isChosen = mode === "model";
      if (mode === undefined || (isChosen && texts.model_config_id === "")) {
        const wrong = [{ field: "model_config_id", detail: "Choose a model." }];
        return { ok: false, failure: problemOfFields(wrong) };
      }
      const effort = ReasoningEffort.safeParse(texts.reasoning_effort);
      const outcome = await set({
        params: { ...ME, context },
        body: {
          mode,
          ...(isChosen ? { model_config_id: texts.model_config_id } : {}),
          ...(isChosen && effort.success ? { reasoning_effort: effort.data } : {}),
        },
      });
      if (outcome.ok) {
        announce(`${OWN_WORK[context].title}: saved.`);
        onDone();
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Save" sending="Saving…">
      <ChoiceField {...form.field("mode")} choices={ownModes(context)} label="Serves" />
      {form.values.mode === "model" && <ModelChoice form={form} models={models} />}
    </FormFrame>
  );
}
