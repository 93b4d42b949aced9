/** Whether one is called to one's agents on this device. The browser asks once, when it is first chosen. */
import { useState } from "react";
import { askToNotify, notifyState } from "../../browser/notifying.ts";
import { Panel } from "../../ui/panel.tsx";
import { chooseCalls, chosenCalls } from "./call-choice.ts";
import { CALL_CHOICES, type CallChoice } from "./call-outs.ts";

const WORDS: Readonly<Record<CallChoice, string>> = {
  none: "Do not call me",
  needs_you: "When an agent needs me: it asks, has a plan to approve, or failed",
  done: "When an agent needs me, and when one is done",
};

export function CallPanel() {
  const [chosen, setChosen] = useState(chosenCalls);
  const [state, setState] = useState(notifyState);
  const choose = (choice: CallChoice): void => {
    chooseCalls(choice);
    setChosen(choice);
    if (choice === "none") return;
    askToNotify().then(setState, () => {}); // Not asked: then it stays as it was.
  };
  return (
    <Panel
      about="The browser shows it while you are elsewhere, as long as a page of Atelier is open. Kept on this device."
      title="Notifications"
    >
      <fieldset className="space-y-1" disabled={state === "unsupported"}>
        <legend className="sr-only">Notifications</legend>
        {CALL_CHOICES.map((choice) => (
          <label className="flex min-h-9 items-center gap-2.5" key={choice}>
            <input
              checked={chosen === choice}
              name="call-out"
              onChange={() => choose(choice)}
              type="radio"
            />
            {WORDS[choice]}
          </label>
        ))}
      </fieldset>
      {state === "unsupported" && (
        <p className="mt-2 text-muted">
          This browser shows none here. Most show them only for addresses that begin with https.
        </p>
      )}
      {state === "refused" && chosen !== "none" && (
        <p className="mt-2 rounded-md bg-warn-soft p-3" role="status">
          The browser refuses them for this address. Allow notifications in its settings of this
          site, then reload this page.
        </p>
      )}
    </Panel>
  );
}
