/** Whether the model calls of one's own chats are recorded, where administrators allow it. */
import type { CallAnswer } from "@atelier/contract/client";
import {
  getChatUserDebugLogging,
  putChatUserDebugLogging,
} from "@atelier/contract/http/chat-debug-settings";
import { useChange, useEndpoint } from "../../api/use-endpoint.ts";
import { CheckField } from "../../forms/check-field.tsx";
import { FormFrame } from "../../forms/form-frame.tsx";
import { useForm } from "../../forms/use-form.ts";
import { announce } from "../../ui/announcements.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { Panel } from "../../ui/panel.tsx";

export function OwnRecording() {
  const choice = useEndpoint(getChatUserDebugLogging, {});
  return (
    <Panel
      about="For finding out what an agent did: what its models were sent and answered, beside the chat under Debug. Keys are left out; all else is in it."
      title="Recorded model calls"
    >
      <Loaded query={choice} what="whether your model calls are recorded">
        {(answer) => {
          if (answer.forced_by_deployment) {
            return <p>This deployment records the model calls of all chats, and yours too.</p>;
          }
          if (!answer.allowed) {
            return <p className="text-muted">Not available: an administrator has to allow it.</p>;
          }
          return <RecordingForm answer={answer} />;
        }}
      </Loaded>
    </Panel>
  );
}

type RecordingFormProps = { readonly answer: CallAnswer<typeof getChatUserDebugLogging> };

function RecordingForm({ answer }: RecordingFormProps) {
  const put = useChange(putChatUserDebugLogging, [getChatUserDebugLogging]);
  const form = useForm({
    initial: { enabled: String(answer.enabled) },
    submit: async (texts) => {
      const outcome = await put({ body: { enabled: texts.enabled === "true" } });
      if (outcome.ok) announce("It counts from the next step of your agents on.");
      return outcome;
    },
  });
  return (
    <div className="max-w-2xl">
      <FormFrame form={form} send="Save" sending="Saving…">
        <CheckField
          {...form.field("enabled")}
          hint="Who may read a chat reads this too, which includes administrators."
          label="Record the model calls of my chats"
        />
      </FormFrame>
    </div>
  );
}
