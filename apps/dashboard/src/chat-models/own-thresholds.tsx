/** When a person's chats sum up their history, model by model. */
import {
  deleteChatUserThreshold,
  listChatUserThresholds,
  putChatUserThreshold,
} from "@atelier/contract/http/chat-settings";
import { useState } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { problemOfBody, problemOfFields } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { NOT_A_NUMBER, typedNumber } from "../forms/typed-number.ts";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { Button } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { Panel } from "../ui/panel.tsx";
import type { ChatModelView } from "./model-values.ts";
import { nameOfModel } from "./model-words.ts";

/** A model, and the person's own threshold if there is one. */
type Row = { readonly model: ChatModelView; readonly own: number | undefined };

export function OwnThresholds({ models }: { readonly models: readonly ChatModelView[] }) {
  const query = useEndpoint(listChatUserThresholds, {});
  const [changing, setChanging] = useState<Row | null>(null);
  const name = changing === null ? "" : nameOfModel(changing.model);
  return (
    <Panel
      about="At which part of a model’s context older history is summed up. Earlier costs less and forgets more."
      title="When history is summed up"
    >
      <Loaded query={query} what="your thresholds">
        {({ thresholds }) => (
          <DataTable
            columns={columns(setChanging)}
            label="Thresholds by model"
            rowKey={({ model }) => model.id}
            rows={models.map((model) => ({
              model,
              own: thresholds.find((each) => each.model_config_id === model.id)?.threshold_percent,
            }))}
          />
        )}
      </Loaded>
      <Modal
        about="Percent of its context. 100: never by itself."
        isOpen={changing !== null}
        onClose={() => setChanging(null)}
        title={`Sum up with ${name}`}
      >
        {changing !== null && <ThresholdForm onDone={() => setChanging(null)} row={changing} />}
      </Modal>
    </Panel>
  );
}

function columns(onChange: (row: Row) => void): readonly Column<Row>[] {
  return [
    {
      title: "Model",
      cell: ({ model }) => <span className="font-medium">{nameOfModel(model)}</span>,
    },
    {
      title: "At",
      cell: ({ model, own }) => (
        <>
          {percentText(own ?? model.compression_threshold)}
          <div className="text-xs text-muted">
            {own === undefined
              ? "as the deployment decides"
              : `yours; otherwise ${percentText(model.compression_threshold)}`}
          </div>
        </>
      ),
    },
    {
      title: "Actions",
      isActions: true,
      cell: (row) => (
        <Button aria-label={`Change for ${nameOfModel(row.model)}`} onClick={() => onChange(row)}>
          Change
        </Button>
      ),
    },
  ];
}

function percentText(percent: number): string {
  return percent >= 100 ? "never by itself" : `${percent} %`;
}

function ThresholdForm({ row, onDone }: { readonly row: Row; readonly onDone: () => void }) {
  const { model, own } = row;
  const params = { modelConfig: model.id };
  const put = useChange(putChatUserThreshold, [listChatUserThresholds]);
  const drop = useChange(deleteChatUserThreshold, [listChatUserThresholds]);
  const form = useForm({
    initial: { threshold_percent: String(own ?? model.compression_threshold) },
    submit: async (texts) => {
      const percent = typedNumber(texts.threshold_percent);
      if (percent === null) {
        const none = [{ field: "threshold_percent", detail: NOT_A_NUMBER }];
        return { ok: false, failure: problemOfFields(none) };
      }
      const body = { threshold_percent: percent };
      const wrong = problemOfBody(putChatUserThreshold, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await put({ params, body });
      if (outcome.ok) onDone();
      return outcome;
    },
  });
  const goBack = (
    <Button
      onClick={() => {
        drop({ params }).then(
          (outcome) => {
            if (outcome.ok) onDone();
            else announce(outcome.failure.message);
          },
          () => announce("The page ran into a bug of its own."),
        );
      }}
    >
      As the deployment decides
    </Button>
  );
  return (
    <FormFrame
      form={form}
      others={own === undefined ? undefined : goBack}
      send="Save"
      sending="Saving…"
    >
      <TextField {...form.field("threshold_percent")} inputMode="numeric" label="Percent" />
    </FormFrame>
  );
}
