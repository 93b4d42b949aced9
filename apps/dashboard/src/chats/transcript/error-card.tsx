/** Why the last turn ended in an error, what is kept, and the one thing to do next. */
import type { ChatError } from "@atelier/contract/chat/chat-words";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { ERROR_STEPS } from "../chat-words.ts";
import { PLAIN_SEND } from "../composer/send-input.ts";
import { useChatScene, useIsSending } from "../page/chat-scene.ts";
import { errorFacts, errorWords, GO_ON_TEXT, type ErrorStep } from "./error-steps.ts";

export function ErrorCard({ error }: { readonly error: ChatError }) {
  const { isOwn } = useChatScene();
  const { title, step } = errorWords(error);
  return (
    <section
      aria-label="The turn ended in an error"
      className="flex gap-2.5 rounded-lg border border-bad/40 bg-bad-soft p-4"
    >
      <span className="mt-0.5 text-bad">
        <Icon name="alert" />
      </span>
      <div className="min-w-0 space-y-1.5">
        <h2 className="font-semibold">{title}</h2>
        <p className="break-words">{error.message}</p>
        {error.detail !== undefined && error.detail !== error.message && (
          <p className="text-xs break-words">{error.detail}</p>
        )}
        <p>{ERROR_STEPS[error.kind ?? "generic"]} What was done so far is kept.</p>
        <p className="text-xs text-muted">{errorFacts(error)}</p>
        {isOwn && <NextStep step={step} />}
      </div>
    </section>
  );
}

function NextStep({ step }: { readonly step: ErrorStep }) {
  const { outbox, composer, link } = useChatScene();
  const isSending = useIsSending();
  switch (step.kind) {
    case "retry":
      return (
        <Button
          disabled={isSending}
          look="main"
          onClick={() => outbox.send({ ...PLAIN_SEND, text: GO_ON_TEXT })}
        >
          {step.label}
        </Button>
      );
    case "model":
      return (
        <Button look="main" onClick={() => composer.current?.openModels()}>
          {step.label}
        </Button>
      );
    case "keys":
      return (
        <ButtonLink look="main" to="/settings/provider-keys">
          {step.label}
        </ButtonLink>
      );
    case "edit":
      return (
        <Button
          look="main"
          onClick={() => {
            const last = link.state.view.messages.findLast(({ role }) => role === "user");
            if (last !== undefined) composer.current?.edit({ id: last.id, parts: last.content });
          }}
        >
          {step.label}
        </Button>
      );
  }
}
