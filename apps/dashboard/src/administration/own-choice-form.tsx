/** Whether people choose models for their own chats. */
import type { CallAnswer } from "@atelier/contract/client";
import {
  getChatPersonalModelOverrides,
  putChatPersonalModelOverrides,
} from "@atelier/contract/http/chat-settings";
import { useChange } from "../api/use-endpoint.ts";
import { CheckField } from "../forms/check-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { SettingsForm } from "./settings-form.tsx";

type OwnChoiceFormProps = {
  readonly answer: CallAnswer<typeof getChatPersonalModelOverrides>;
};

export function OwnChoiceForm({ answer }: OwnChoiceFormProps) {
  const put = useChange(putChatPersonalModelOverrides, [getChatPersonalModelOverrides]);
  const form = useForm({
    initial: { allow_users: String(answer.allow_users) },
    submit: async (texts) => {
      const outcome = await put({ body: { allow_users: texts.allow_users === "true" } });
      if (outcome.ok) announce("Who chooses models is saved.");
      return outcome;
    },
  });
  return (
    <SettingsForm form={form}>
      <CheckField
        {...form.field("allow_users")}
        hint="What new chats of theirs begin with, and what subagents work with. Off: what they chose stays, and does not count."
        label="People choose models for their own chats"
      />
    </SettingsForm>
  );
}
