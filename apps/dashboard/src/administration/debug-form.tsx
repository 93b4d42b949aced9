/** Whether people may have the model calls of their chats recorded, and how long that is kept. */
import type { CallAnswer } from "@atelier/contract/client";
import {
  getChatDebugLogging,
  getChatDebugRetentionDays,
  putChatDebugLogging,
  putChatDebugRetentionDays,
} from "@atelier/contract/http/chat-debug-settings";
import { useChange } from "../api/use-endpoint.ts";
import { CheckField } from "../forms/check-field.tsx";
import { problemOfBody } from "../forms/field-problems.ts";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { daysText, typedDays } from "./chat-days.ts";
import { SettingsForm } from "./settings-form.tsx";

type DebugFormProps = {
  readonly logging: CallAnswer<typeof getChatDebugLogging>;
  readonly kept: CallAnswer<typeof getChatDebugRetentionDays>;
};

export function DebugForm({ logging, kept }: DebugFormProps) {
  const putLogging = useChange(putChatDebugLogging, [getChatDebugLogging]);
  const putKept = useChange(putChatDebugRetentionDays, [getChatDebugRetentionDays]);
  const form = useForm({
    initial: {
      allow_users: String(logging.allow_users),
      debug_retention_days: kept.is_set ? String(kept.debug_retention_days) : "",
    },
    submit: async (texts) => {
      const days = typedDays("debug_retention_days", texts.debug_retention_days);
      if (!days.ok) return days;
      const body = { debug_retention_days: days.value };
      const wrong = problemOfBody(putChatDebugRetentionDays, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const first = await putLogging({ body: { allow_users: texts.allow_users === "true" } });
      if (!first.ok) return first;
      const outcome = await putKept({ body });
      if (outcome.ok) announce("What is recorded of chats is saved.");
      return outcome;
    },
  });
  return (
    <SettingsForm form={form}>
      {logging.forced_by_deployment && (
        <p className="rounded-md bg-warn-soft p-3">
          The server’s option <code className="font-mono">chat-debug-logging-enabled</code> records
          all chats, whatever is chosen here.
        </p>
      )}
      <CheckField
        {...form.field("allow_users")}
        hint="Each for their own chats, in their settings. It is read by those who may read the chat."
        label="People may have their model calls recorded"
      />
      <TextField
        {...form.field("debug_retention_days")}
        hint={`Whatever becomes of the chats. 0: for ever. ${kept.is_set ? "Empty: 30 days." : `Empty, as now: ${daysText(kept.debug_retention_days, "for ever")}.`}`}
        inputMode="numeric"
        isOptional
        label="Days that recorded calls are kept"
      />
    </SettingsForm>
  );
}
