/** Whose model works with a desktop. */
import type { CallAnswer } from "@atelier/contract/client";
import {
  COMPUTER_USE_PROVIDERS,
  getChatComputerUseProvider,
  putChatComputerUseProvider,
} from "@atelier/contract/http/chat-settings";
import { useChange } from "../api/use-endpoint.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { PROVIDER_KINDS } from "../gateway/provider-kinds.ts";
import { announce } from "../ui/announcements.tsx";
import { SettingsForm } from "./settings-form.tsx";

type DesktopModelFormProps = {
  readonly answer: CallAnswer<typeof getChatComputerUseProvider>;
};

export function DesktopModelForm({ answer }: DesktopModelFormProps) {
  const put = useChange(putChatComputerUseProvider, [getChatComputerUseProvider]);
  const form = useForm({
    initial: { provider: answer.provider },
    submit: async (texts) => {
      const provider = COMPUTER_USE_PROVIDERS.find((each) => each === texts.provider);
      const outcome = await put({ body: { provider: provider ?? answer.provider } });
      if (outcome.ok) announce("The model for desktops is saved.");
      return outcome;
    },
  });
  return (
    <SettingsForm form={form}>
      <ChoiceField
        {...form.field("provider")}
        choices={COMPUTER_USE_PROVIDERS.map((value) => ({
          value,
          label: PROVIDER_KINDS[value].label,
        }))}
        hint="A provider of this type, with a key, has to be there."
        label="Provider"
      />
    </SettingsForm>
  );
}
