/** Counts again what was recorded while no price was known. */
import { systemClock } from "@atelier/base/system-clock";
import { applyModelPrices, getAiUsage } from "@atelier/contract/http/ai-costs";
import { listAiSessions } from "@atelier/contract/http/ai-usage";
import { useChange } from "../api/use-endpoint.ts";
import { announce } from "../ui/announcements.tsx";
import { Confirm } from "../ui/confirm.tsx";

/** As far back as usage is shown. */
const APPLIED_MS = 366 * 86_400_000;

type ApplyPricesProps = { readonly isOpen: boolean; readonly onClose: () => void };

export function ApplyPrices({ isOpen, onClose }: ApplyPricesProps) {
  const apply = useChange(applyModelPrices, [getAiUsage, listAiSessions]);
  const run = async () => {
    const now = systemClock.now();
    const span = {
      from: new Date(now.getTime() - APPLIED_MS).toISOString(),
      to: now.toISOString(),
    };
    let changed = 0;
    let after: string | undefined;
    for (;;) {
      const outcome = await apply({
        body: { ...span, requests: "unpriced", ...(after === undefined ? {} : { after }) },
      });
      if (!outcome.ok) return outcome;
      changed += outcome.value.changed;
      if (outcome.value.next === null) {
        announce(`${changed} requests have a cost that had none.`);
        return outcome;
      }
      after = outcome.value.next;
    }
  };
  return (
    <Confirm
      about="Requests of the last year whose price was not known are counted with the prices that are in force now. Others stay as they are."
      doing="Counting…"
      isOpen={isOpen}
      onClose={onClose}
      onConfirm={run}
      title="Price what had no price?"
      verb="Price it"
    />
  );
}
