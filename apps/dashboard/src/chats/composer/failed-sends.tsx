/** Messages that did not reach the server: kept until they are sent again, edited, or given up. */
import { memo } from "react";
import { Button } from "../../ui/button.tsx";
import { useChatScene, useOutgoing } from "../page/chat-scene.ts";

export const FailedSends = memo(function FailedSends() {
  const { outbox, composer } = useChatScene();
  const failed = useOutgoing();
  return failed.map(({ key, input, state }) => {
    if (state.kind !== "failed") return null;
    return (
      <section
        aria-label="Not sent"
        className="mb-2 space-y-2 rounded-lg border border-bad/40 bg-bad-soft p-3"
        key={key}
      >
        <p>
          <span className="font-medium">Not sent.</span> {state.reason}
        </p>
        <p className="max-h-24 overflow-hidden break-words whitespace-pre-wrap">{input.text}</p>
        <div className="flex flex-wrap gap-2">
          <Button look="main" onClick={() => outbox.retry(key)}>
            Try again
          </Button>
          <Button
            onClick={() => {
              outbox.drop(key);
              composer.current?.take(input);
            }}
          >
            Edit
          </Button>
          <Button onClick={() => outbox.drop(key)}>Discard</Button>
        </div>
      </section>
    );
  });
});
