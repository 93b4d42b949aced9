/** `atelier providers status`: what of the model providers serves, and what does not. */
import { ok } from "@atelier/base/result";
import { listModelProviders, type ModelProvider } from "@atelier/contract/http/ai-providers";
import type { z } from "zod";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { faint, since, table, type Cell, type Look } from "../output/people.ts";
import { stateCell } from "../output/provider-fields.ts";
import { keysByState, slotsCell } from "../output/provider-keys.ts";

type ProviderAnswer = z.output<typeof ModelProvider>;

export const providersStatus = defineCommand({
  name: "providers status",
  summary: "Show how all model providers do: their keys by state, and open circuit breakers",
  details: "As the server that answers sees them: each makes its own experience.",
  examples: ["atelier providers status", "atelier providers status --json"],
  args: {},
  options: {},
  run: async (cli) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const answer = await api.value.call(listModelProviders, {});
    if (!answer.ok) return answer;
    const { providers } = answer.value;
    const parts = [providersTable, breakersTable, warningsTable];
    return ok(
      shown({
        json: answer.value,
        text: () =>
          providers.length === 0
            ? "No model providers. Add one with `atelier providers create`."
            : parts
                .map((part) => part(cli.look, providers))
                .filter((text) => text !== "")
                .join("\n\n"),
      }),
    );
  },
});

function providersTable(look: Look, providers: readonly ProviderAnswer[]): string {
  const isLimited = providers.some(({ max_concurrency_per_key: max }) => max !== null);
  const columns = ["STATE", "KEYS", ...(isLimited ? ["IN USE"] : []), "BREAKERS"].map((title) => ({
    title,
  }));
  return table(
    look,
    [{ title: "PROVIDER", isWhole: true }, ...columns],
    providers.map(({ name, status, api_keys: keys, max_concurrency_per_key: max }): Cell[] => [
      name,
      stateCell(status.state),
      keysByState(keys),
      ...(isLimited ? [slotsCell(keys, max, status.waiting)] : []),
      status.breakers.length === 0
        ? faint("-")
        : { text: `${status.breakers.length} not closed`, tone: "bad" },
    ]),
  );
}

function breakersTable(look: Look, providers: readonly ProviderAnswer[]): string {
  const rows = providers.flatMap(({ name, status }) =>
    status.breakers.map((breaker): Cell[] => [
      name,
      breaker.endpoint,
      breaker.model,
      breaker.state === "open" ? "open" : "half-open",
      since(look, breaker.retries_at),
    ]),
  );
  const titles = ["PROVIDER", "ENDPOINT", "MODEL", "BREAKER", "RETRIES"];
  return rows.length === 0 ? "" : table(look, titles.map((title) => ({ title })), rows); // prettier-ignore
}

function warningsTable(look: Look, providers: readonly ProviderAnswer[]): string {
  const rows = providers.flatMap(({ name, status }) =>
    status.warnings.map((warning): Cell[] => [name, { text: warning, tone: "bad" }]),
  );
  const columns = [{ title: "PROVIDER" }, { title: "WARNING", isWhole: true }];
  return rows.length === 0 ? "" : table(look, columns, rows);
}
