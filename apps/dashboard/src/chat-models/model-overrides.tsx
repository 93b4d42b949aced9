/** Which models serve certain work in place of a chat's own, for everybody. */
import {
  listModelOverrides,
  MODEL_OVERRIDE_CONTEXTS,
  setModelOverride,
  type ModelOverrideContext,
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
import { OVERRIDDEN_WORK } from "./model-words.ts";
import { ORGANIZATION } from "./organization.ts";

type Override = CallAnswer<typeof listModelOverrides>["overrides"][number];
type Row = { readonly context: ModelOverrideContext; readonly override: Override | undefined };

type ModelOverridesProps = {
  readonly models: readonly ChatModelView[];
  readonly mayChange: boolean;
};

export function ModelOverrides({ models, mayChange }: ModelOverridesProps) {
  const query = useEndpoint(listModelOverrides, { params: ORGANIZATION });
  const [choosing, setChoosing] = useState<Row | null>(null);
  return (
    <Panel
      about="Some work need not be done by the chat’s own model. People’s own choices for subagents go before these."
      title="Models for certain work"
    >
      <Loaded query={query} what="the models for certain work">
        {({ overrides }) => (
          <DataTable
            columns={columns(models, mayChange ? setChoosing : null)}
            label="Work and its models"
            rowKey={({ context }) => context}
            rows={MODEL_OVERRIDE_CONTEXTS.map((context) => ({
              context,
              override: overrides.find((each) => each.context === context),
            }))}
          />
        )}
      </Loaded>
      <Modal
        about={choosing === null ? undefined : OVERRIDDEN_WORK[choosing.context].about}
        isOpen={choosing !== null}
        onClose={() => setChoosing(null)}
        title={choosing === null ? "" : OVERRIDDEN_WORK[choosing.context].title}
      >
        {choosing !== null && (
          <OverrideForm models={models} onDone={() => setChoosing(null)} row={choosing} />
        )}
      </Modal>
    </Panel>
  );
}

function columns(
  models: readonly ChatModelView[],
  onChoose: ((row: Row) => void) | null,
): readonly Column<Row>[] {
  return [
    {
      title: "Work",
      cell: ({ context }) => (
        <>
          <span className="font-medium">{OVERRIDDEN_WORK[context].title}</span>
          <div className="text-xs text-muted">{OVERRIDDEN_WORK[context].about}</div>
        </>
      ),
    },
    { title: "Model", cell: (row) => <Chosen models={models} row={row} /> },
    {
      title: "If it cannot be used",
      isMinor: true,
      cell: ({ context }) => (
        <span className="text-muted">{OVERRIDDEN_WORK[context].otherwise}</span>
      ),
    },
    ...(onChoose === null
      ? []
      : [
          {
            title: "Actions",
            isActions: true,
            cell: (row: Row) => (
              <Button
                aria-label={`Choose for ${OVERRIDDEN_WORK[row.context].title}`}
                onClick={() => onChoose(row)}
              >
                Choose
              </Button>
            ),
          },
        ]),
  ];
}

function Chosen({ models, row }: { readonly models: readonly ChatModelView[]; readonly row: Row }) {
  const { context, override } = row;
  if (override === undefined || override.model_config_id === "") {
    return <span className="text-muted">{OVERRIDDEN_WORK[context].usual}</span>;
  }
  const model = models.find(({ id }) => id === override.model_config_id);
  if (model === undefined) return <Badge tone="bad">deleted</Badge>;
  return <ChosenModel effort={override.reasoning_effort} model={model} />;
}

type OverrideFormProps = {
  readonly row: Row;
  readonly models: readonly ChatModelView[];
  readonly onDone: () => void;
};

function OverrideForm({ row, models, onDone }: OverrideFormProps) {
  const { context, override } = row;
  const { usual, title } = OVERRIDDEN_WORK[context];
  const set = useChange(setModelOverride, [listModelOverrides]);
  const form = useForm<ModelChoiceTexts>({
    initial: {
      mode: (override?.model_config_id ?? "") === "" ? "usual" : "model",
      model_config_id: override?.model_config_id ?? "",
      reasoning_effort: override?.reasoning_effort ?? "",
    },
    submit: async (texts) => {
      const isChosen = texts.mode === "model";
      if (isChosen && texts.model_config_id === "") {
        const wrong = [{ field: "model_config_id", detail: "Choose a model." }];
        return { ok: false, failure: problemOfFields(wrong) };
      }
      const effort = ReasoningEffort.safeParse(texts.reasoning_effort);
      const outcome = await set({
        params: { ...ORGANIZATION, context },
        body: {
          model_config_id: isChosen ? texts.model_config_id : "",
          ...(isChosen && effort.success ? { reasoning_effort: effort.data } : {}),
        },
      });
      if (outcome.ok) {
        announce(`${title}: saved.`);
        onDone();
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Save" sending="Saving…">
      <ChoiceField
        {...form.field("mode")}
        choices={[
          { value: "usual", label: `As usual: ${usual}` },
          { value: "model", label: "Always one model" },
        ]}
        label="Serves"
      />
      {form.values.mode === "model" && <ModelChoice form={form} models={models} />}
      <p className="text-xs text-muted">
        If it cannot be used: {OVERRIDDEN_WORK[context].otherwise}
      </p>
    </FormFrame>
  );
}
