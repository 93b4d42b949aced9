/** Asks for a chat's new title. */
import { updateChat, type Chat } from "@atelier/contract/http/chats";
import { problemOfBody } from "../../forms/field-problems.ts";
import { FormFrame } from "../../forms/form-frame.tsx";
import { TextField } from "../../forms/text-field.tsx";
import { useForm } from "../../forms/use-form.ts";
import { Modal } from "../../ui/modal.tsx";
import type { ChatActionState } from "./use-chat-actions.ts";

type RenameChatProps = Pick<ChatActionState, "named" | "closeName" | "rename">;

export function RenameChat({ named, closeName, rename }: RenameChatProps) {
  return (
    <Modal isOpen={named !== null} onClose={closeName} title="Rename the chat">
      {named !== null && <TitleForm chat={named} onDone={closeName} rename={rename} />}
    </Modal>
  );
}

type TitleFormProps = {
  readonly chat: Chat;
  readonly rename: RenameChatProps["rename"];
  readonly onDone: () => void;
};

function TitleForm({ chat, rename, onDone }: TitleFormProps) {
  const form = useForm({
    initial: { title: chat.title },
    submit: async ({ title }) => {
      const wrong = problemOfBody(updateChat, { title });
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await rename(chat, title);
      if (outcome.ok) onDone();
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Rename" sending="Renaming…">
      <TextField {...form.field("title")} isFocused label="Title" />
    </FormFrame>
  );
}
