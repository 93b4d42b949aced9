/** What administrators let people spend on agents: everybody, and single people in place of that. */
import {
  deleteChatUsageLimitOverride,
  getChatUsageLimits,
  getChatUsageLimitStatus,
  listChatUsageLimitOverrides,
  putChatUsageLimitOverride,
  putChatUsageLimits,
  type ChatUsageLimitOverride,
} from "@atelier/contract/http/chat-spending";
import type { CallAnswer } from "@atelier/contract/client";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useChange, useEndpoint, usePages } from "../api/use-endpoint.ts";
import { SettingsForm } from "../administration/settings-form.tsx";
import { useMay } from "../app/signed-in.ts";
import { CheckField } from "../forms/check-field.tsx";
import { ChoiceField } from "../forms/choice-field.tsx";
import { problemOfBody, problemOfFields } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { Button } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { Panel } from "../ui/panel.tsx";
import { dollarsOfMicros, microsOfDollars, priceText } from "../usage/money-text.ts";
import { limitsBody, NO_AMOUNT, PERIOD_CHOICES, textsOfLimits } from "./spending-words.ts";

const PAGE_SIZE = 200;

export function SpendingLimits() {
  const limits = useEndpoint(getChatUsageLimits, {});
  return (
    <Panel
      about={
        <>
          What one person’s agents may cost. It is asked when a message is sent: a turn that has
          begun ends, and may cost more. What they did cost:{" "}
          <Link className="text-accent underline" to="/ai/usage">
            usage and cost
          </Link>
          .
        </>
      }
      title="Spending"
    >
      <Loaded query={limits} what="the limits">
        {(answer) => (
          <div className="space-y-6">
            {!answer.costs_recorded && (
              <p className="rounded-md border border-line bg-sunken p-3">
                Chats ask models past the gateway here, and nobody records what it costs: no limit
                holds.
              </p>
            )}
            <LimitsForm answer={answer} />
            <Overrides isEnabled={answer.enabled} />
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

function LimitsForm({ answer }: { readonly answer: CallAnswer<typeof getChatUsageLimits> }) {
  const put = useChange(putChatUsageLimits, [getChatUsageLimits, getChatUsageLimitStatus]);
  const form = useForm({
    initial: textsOfLimits(answer),
    submit: async (texts) => {
      const body = limitsBody(texts);
      if (!body.ok) return body;
      const wrong = problemOfBody(putChatUsageLimits, body.value);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await put({ body: body.value });
      if (outcome.ok) announce("The limits hold from the next message on.");
      return outcome;
    },
  });
  return (
    <SettingsForm form={form}>
      <CheckField {...form.field("enabled")} label="What people spend is limited" />
      <div className="grid items-start gap-4 sm:grid-cols-2">
        <TextField
          {...form.field("default_limit_micros")}
          hint="Of everybody without a limit of their own. 0: they send nothing."
          inputMode="decimal"
          label="Dollars for each person"
        />
        <ChoiceField
          {...form.field("period")}
          choices={PERIOD_CHOICES}
          hint="Begins at midnight UTC."
          label="Period"
        />
      </div>
    </SettingsForm>
  );
}

function Overrides({ isEnabled }: { readonly isEnabled: boolean }) {
  const mayChange = useMay("chat_setting:update");
  const [changing, setChanging] = useState<ChatUsageLimitOverride | "new" | null>(null);
  const pages = usePages(
    listChatUsageLimitOverrides,
    { query: { limit: PAGE_SIZE } },
    ({ overrides }) =>
      overrides.length < PAGE_SIZE
        ? null
        : { query: { limit: PAGE_SIZE, after_id: overrides.at(-1)?.user.id } },
  );
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="font-medium">People with a limit of their own</h3>
        {mayChange && <Button onClick={() => setChanging("new")}>Set one</Button>}
      </div>
      <Loaded query={pages} what="people’s own limits">
        {({ pages: answers }) => {
          const rows = answers.flatMap(({ overrides }) => overrides);
          if (rows.length === 0) {
            return <p className="text-muted">Nobody: everybody’s counts for all.</p>;
          }
          return (
            <>
              <DataTable
                columns={columns(mayChange ? setChanging : null)}
                label="People with a limit of their own"
                rowKey={({ user }) => user.id}
                rows={rows}
              />
              {!isEnabled && (
                <p className="text-muted">They count once what people spend is limited.</p>
              )}
              {rows.length < (answers[0]?.count ?? 0) && (
                <LoadMore count={answers[0]?.count ?? 0} pages={pages} shown={rows.length} />
              )}
            </>
          );
        }}
      </Loaded>
      <Modal
        about="In place of everybody’s, for the same period."
        isOpen={changing !== null}
        onClose={() => setChanging(null)}
        title={
          changing === null || changing === "new"
            ? "Set a person’s limit"
            : `Limit of ${changing.user.username}`
        }
      >
        {changing !== null && (
          <OverrideForm
            existing={changing === "new" ? null : changing}
            onDone={() => setChanging(null)}
          />
        )}
      </Modal>
    </div>
  );
}

function columns(
  onChange: ((override: ChatUsageLimitOverride) => void) | null,
): readonly Column<ChatUsageLimitOverride>[] {
  return [
    {
      title: "Person",
      cell: ({ user }) => (
        <>
          <span className="font-medium">{user.username}</span>
          {user.name !== "" && <div className="text-xs text-muted">{user.name}</div>}
        </>
      ),
    },
    {
      title: "May spend",
      isNumber: true,
      cell: ({ spend_limit_micros: micros }) => priceText(micros),
    },
    ...(onChange === null
      ? []
      : [
          {
            title: "Actions",
            isActions: true,
            cell: (row: ChatUsageLimitOverride) => (
              <Button
                aria-label={`Change the limit of ${row.user.username}`}
                onClick={() => onChange(row)}
              >
                Change
              </Button>
            ),
          },
        ]),
  ];
}

type OverrideFormProps = {
  readonly existing: ChatUsageLimitOverride | null;
  readonly onDone: () => void;
};

const RENEWED = [listChatUsageLimitOverrides, getChatUsageLimitStatus];

function OverrideForm({ existing, onDone }: OverrideFormProps) {
  const put = useChange(putChatUsageLimitOverride, RENEWED);
  const drop = useChange(deleteChatUsageLimitOverride, RENEWED);
  const form = useForm({
    initial: {
      user: existing?.user.username ?? "",
      spend_limit_micros: dollarsOfMicros(existing?.spend_limit_micros ?? null),
    },
    submit: async (texts) => {
      const user = texts.user.trim();
      if (user === "") return { ok: false, failure: complaint("user", "Whose limit?") };
      const micros = microsOfDollars(texts.spend_limit_micros);
      const body = { spend_limit_micros: micros ?? 0 };
      const wrong = micros === null ? complaint("spend_limit_micros", NO_AMOUNT) : null;
      const problem = wrong ?? problemOfBody(putChatUsageLimitOverride, body);
      if (problem !== null) return { ok: false, failure: problem };
      const outcome = await put({ params: { user }, body });
      if (!outcome.ok && outcome.failure.code === "resource.not_found") {
        return { ok: false, failure: complaint("user", "Nobody is called so.") };
      }
      if (outcome.ok) onDone();
      return outcome;
    },
  });
  const remove = (
    <Button
      onClick={() => {
        drop({ params: { user: existing?.user.id ?? "" } }).then(
          (outcome) => {
            if (outcome.ok) onDone();
            else announce(outcome.failure.message);
          },
          () => announce("The page ran into a bug of its own."),
        );
      }}
    >
      Everybody’s counts again
    </Button>
  );
  return (
    <FormFrame
      form={form}
      others={existing === null ? undefined : remove}
      send="Save"
      sending="Saving…"
    >
      {existing === null && <TextField {...form.field("user")} isFocused label="Username" />}
      <TextField {...form.field("spend_limit_micros")} inputMode="decimal" label="Dollars" />
    </FormFrame>
  );
}

function complaint(field: string, detail: string) {
  return problemOfFields([{ field, detail }]);
}
