/** Does what the composer's slash commands say, and tells how it went. */
import { ok, type Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import {
  clearChat,
  compactChat,
  getChat,
  listChats,
  proposeChatTitle,
  updateChat,
} from "@atelier/contract/http/chats";
import { listWorkspaces } from "@atelier/contract/http/workspaces";
import { useQueryClient } from "@tanstack/react-query";
import { keyOf, useChange } from "../../api/use-endpoint.ts";
import { useChatModels } from "../model-choice/model-choice-fields.tsx";
import { modelName, usableModels, type ModelChoice } from "../model-choice/model-choice.ts";
import { useChatScene, type EditedMessage } from "../page/chat-scene.ts";
import { effortOf, type SlashName } from "./slash-commands.ts";
import { useStop } from "./use-stop.ts";

type Told = {
  readonly setChoice: (choice: ModelChoice) => void;
  readonly setNotice: (text: string | null) => void;
  readonly setProblem: (problem: ApiProblem) => void;
  readonly edit: (message: EditedMessage) => void;
};

/** What the person is told. Empty: the page shows what happened. */
type Said = Result<string, ApiProblem>;

export function useSlashCommands(told: Told): (name: SlashName, rest: string) => void {
  const { link } = useChatScene();
  const actions = useChatActions();
  const choose = useChoosing(told);
  const runs: Readonly<Record<SlashName, (rest: string) => Promise<Said> | Said>> = {
    compact: actions.compact,
    clear: actions.clear,
    stop: actions.stop,
    plan: actions.plan,
    rename: actions.rename,
    workspace: actions.workspace,
    archive: actions.archive,
    model: choose.model,
    effort: choose.effort,
    edit: () => {
      const last = link.state.view.messages.findLast(({ role }) => role === "user");
      if (last === undefined) return ok("You have written nothing yet.");
      told.edit({ id: last.id, parts: last.content });
      return ok("");
    },
    help: () => {
      actions.showHelp();
      return ok("");
    },
  };
  return (name, rest) => {
    Promise.resolve(runs[name](rest)).then(
      (said) => {
        if (said.ok) told.setNotice(said.value === "" ? null : said.value);
        else told.setProblem(said.failure);
      },
      () => {}, // Failures are values here.
    );
  };
}

function useChatActions() {
  const { chatId, openHelp } = useChatScene();
  const queryClient = useQueryClient();
  const params = { chat: chatId };
  const compact = useChange(compactChat, [getChat]);
  const clear = useChange(clearChat, [getChat]);
  const stop = useStop();
  const update = useChange(updateChat, [getChat, listChats]);
  const propose = useChange(proposeChatTitle);
  const workspaces = useChange(listWorkspaces);
  const said = async (done: Promise<Result<unknown, ApiProblem>>, text: string): Promise<Said> => {
    const outcome = await done;
    return outcome.ok ? ok(text) : outcome;
  };
  return {
    showHelp: openHelp,
    compact: async () => said(compact({ params }), ""),
    clear: async () => said(clear({ params }), ""),
    stop: async () => said(stop(), ""),
    plan: async (word: string) => {
      if (word !== "on" && word !== "off") return ok("Write /plan on or /plan off.");
      const isOn = word === "on";
      const words = isOn ? "It plans only, from now on." : "It does things again.";
      return said(update({ params, body: { plan_mode: isOn ? "plan" : "" } }), words);
    },
    rename: async (given: string): Promise<Said> => {
      let title = given;
      if (title === "") {
        const proposed = await propose({ params });
        if (!proposed.ok) return proposed;
        title = proposed.value.title;
      }
      return said(update({ params, body: { title } }), `The chat is called “${title}”.`);
    },
    archive: async () => {
      const known = queryClient.getQueryData<{ readonly archived: boolean }>(
        keyOf(getChat, { params }),
      );
      const archived = known?.archived !== true;
      const words = archived ? "It is put away. /archive takes it out again." : "It is out again.";
      return said(update({ params, body: { archived } }), words);
    },
    workspace: async (name: string): Promise<Said> => {
      if (name === "") return ok("Write /workspace and its name, or /workspace none.");
      if (name === "none") {
        return said(update({ params, body: { workspace_id: null } }), "It has no workspace now.");
      }
      const listed = await workspaces({
        query: { q: `owner:me name:"${name.replaceAll('"', "")}"` },
      });
      if (!listed.ok) return listed;
      const found = listed.value.workspaces.find((each) => each.name === name);
      if (found === undefined) return ok(`You have no workspace ${name}.`);
      const body = { workspace_id: found.id };
      return said(update({ params, body }), `It works in ${name}.`);
    },
  };
}

function useChoosing({ setChoice }: Told) {
  const { chatId } = useChatScene();
  const models = useChatModels();
  const queryClient = useQueryClient();
  const usable = models.data === undefined ? [] : usableModels(models.data);
  return {
    model: (name: string): Said => {
      const names = usable.map((each) => modelName(each)).join(", ");
      const found = usable.find((each) => modelName(each) === name || each.model === name);
      if (found === undefined) return ok(`Write /model and one of: ${names}.`);
      setChoice({ modelConfigId: found.id, effort: "" });
      return ok(`From the next message on, the model is ${modelName(found)}.`);
    },
    effort: (word: string): Said => {
      const effort = effortOf(word);
      const chat = queryClient.getQueryData<{ readonly last_model_config_id: string }>(
        keyOf(getChat, { params: { chat: chatId } }),
      );
      const model = usable.find(({ id }) => id === chat?.last_model_config_id);
      const offered = model?.reasoning_efforts ?? [];
      if (effort === null || !offered.includes(effort)) {
        return offered.length === 0
          ? ok("The model has no efforts to choose from.")
          : ok(`Write /effort and one of: ${offered.join(", ")}.`);
      }
      setChoice({ modelConfigId: model?.id ?? "", effort });
      return ok(`From the next message on, the effort is ${effort}.`);
    },
  };
}
