/** When idle chats are archived, and how long archived ones are kept. */
import type { CallAnswer } from "@atelier/contract/client";
import {
  getChatAutoArchiveDays,
  getChatRetentionDays,
  putChatAutoArchiveDays,
  putChatRetentionDays,
} from "@atelier/contract/http/chat-settings";
import { useChange } from "../api/use-endpoint.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { daysText, typedDays } from "./chat-days.ts";
import { SettingsForm } from "./settings-form.tsx";

type ChatLifeFormProps = {
  readonly idle: CallAnswer<typeof getChatAutoArchiveDays>;
  readonly archived: CallAnswer<typeof getChatRetentionDays>;
};

export function ChatLifeForm({ idle, archived }: ChatLifeFormProps) {
  const putIdle = useChange(putChatAutoArchiveDays, [getChatAutoArchiveDays]);
  const putArchived = useChange(putChatRetentionDays, [getChatRetentionDays]);
  const form = useForm({
    initial: {
      auto_archive_days: idle.is_set ? String(idle.auto_archive_days) : "",
      retention_days: archived.is_set ? String(archived.retention_days) : "",
    },
    submit: async (texts) => {
      const idleDays = typedDays("auto_archive_days", texts.auto_archive_days);
      if (!idleDays.ok) return idleDays;
      const archivedDays = typedDays("retention_days", texts.retention_days);
      if (!archivedDays.ok) return archivedDays;
      const idleBody = { auto_archive_days: idleDays.value };
      const archivedBody = { retention_days: archivedDays.value };
      const wrong =
        problemOfBody(putChatAutoArchiveDays, idleBody) ??
        problemOfBody(putChatRetentionDays, archivedBody);
      if (wrong !== null) return { ok: false, failure: wrong };
      const first = await putIdle({ body: idleBody });
      if (!first.ok) return first;
      const outcome = await putArchived({ body: archivedBody });
      if (outcome.ok) announce("How long chats live is saved.");
      return outcome;
    },
  });
  return (
    <SettingsForm form={form}>
      <div className="grid items-start gap-4 sm:grid-cols-2">
        <TextField
          {...form.field("auto_archive_days")}
          hint={`Without anything new. 0: never. ${optionWords(idle.is_set, idle.auto_archive_days, "never")}`}
          inputMode="numeric"
          isOptional
          label="Days until idle chats are archived"
        />
        <TextField
          {...form.field("retention_days")}
          hint={`Then they are deleted. 0: for ever. ${optionWords(archived.is_set, archived.retention_days, "for ever")}`}
          inputMode="numeric"
          isOptional
          label="Days that archived chats are kept"
        />
      </div>
    </SettingsForm>
  );
}

function optionWords(isSet: boolean, days: number, none: string): string {
  if (isSet) return "Empty: as the server’s option says.";
  return `Empty, as now: as the server’s option says, ${daysText(days, none)}.`;
}
