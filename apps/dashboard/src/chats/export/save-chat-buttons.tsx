/** Keeps a copy of the chat as a file: to read and send on, or for programs. */
import { systemClock } from "@atelier/base/system-clock";
import type { ApiProblem } from "@atelier/contract/client";
import { listChatMessages } from "@atelier/contract/http/chats";
import { useState } from "react";
import { problemOf } from "../../api/api-problem-error.ts";
import { useChange } from "../../api/use-endpoint.ts";
import { deploymentUrl } from "../../browser/host.ts";
import { saveText } from "../../browser/save-text.ts";
import { Button } from "../../ui/button.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { chatPath } from "../chat-words.ts";
import { useChat } from "../page/use-chat.ts";

type Kind = "markdown" | "json";

export function SaveChatButtons() {
  const chat = useChat();
  const readPage = useChange(listChatMessages);
  const [saving, setSaving] = useState<Kind | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const save = async (kind: Kind): Promise<void> => {
    const { chatFile } = await import("./save-chat.ts");
    const url = deploymentUrl() + chatPath(chat.id);
    const file = await chatFile(kind, chat, { url, savedAt: systemClock.now(), readPage });
    if (file.ok) saveText(file.value.name, file.value.text, file.value.mediaType);
    else setProblem(file.failure);
  };
  const press = (kind: Kind): void => {
    setSaving(kind);
    setProblem(null);
    save(kind)
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => setSaving(null));
  };
  return (
    <section aria-label="Keep a copy">
      <h3 className="mb-1 text-xs text-muted">Keep a copy</h3>
      <div className="flex flex-wrap gap-2">
        {(["markdown", "json"] as const).map((kind) => (
          <Button
            busy={saving === kind ? "Fetching…" : undefined}
            disabled={saving !== null}
            key={kind}
            onClick={() => press(kind)}
          >
            {kind === "markdown" ? "As Markdown" : "As JSON"}
          </Button>
        ))}
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
    </section>
  );
}
