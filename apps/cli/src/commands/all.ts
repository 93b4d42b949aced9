/** All commands, in the order of the help. A command that is not here does not exist. */
import type { CommandDefinition } from "../command.ts";
import { attachAgent } from "./agent.ts";
import { aiClients } from "./ai-clients.ts";
import { aiInterceptionsList } from "./ai-interceptions-list.ts";
import { aiKeysList } from "./ai-keys-list.ts";
import { aiKeysRemove } from "./ai-keys-remove.ts";
import { aiKeysSet } from "./ai-keys-set.ts";
import { aiModels } from "./ai-models.ts";
import { aiPricesApply } from "./ai-prices-apply.ts";
import { aiPricesDelete } from "./ai-prices-delete.ts";
import { aiPricesList } from "./ai-prices-list.ts";
import { aiPricesSet } from "./ai-prices-set.ts";
import { aiSessionsList } from "./ai-sessions-list.ts";
import { aiSessionsShow } from "./ai-sessions-show.ts";
import { auditList } from "./audit-list.ts";
import { chatArchive } from "./chat-archive.ts";
import { chatAttach } from "./chat-attach.ts";
import { chatClear } from "./chat-clear.ts";
import { chatCompact } from "./chat-compact.ts";
import { chatCost } from "./chat-cost.ts";
import { chatDebug } from "./chat-debug.ts";
import { chatDiff } from "./chat-diff.ts";
import { chatEdit } from "./chat-edit.ts";
import { chatInterrupt } from "./chat-interrupt.ts";
import { chatLimitsCosts } from "./chat-limits-costs.ts";
import { chatLimitsSet } from "./chat-limits-set.ts";
import { chatLimitsShow } from "./chat-limits-show.ts";
import { chatLimitsStatus } from "./chat-limits-status.ts";
import { chatLimitsUsersRemove } from "./chat-limits-users-remove.ts";
import { chatLimitsUsersSet } from "./chat-limits-users-set.ts";
import { chatList } from "./chat-list.ts";
import { chatModelsCreate } from "./chat-models-create.ts";
import { chatModelsDelete } from "./chat-models-delete.ts";
import { chatModelsList } from "./chat-models-list.ts";
import { chatModelsOverridesList } from "./chat-models-overrides-list.ts";
import { chatModelsOverridesSet } from "./chat-models-overrides-set.ts";
import { chatModelsSetDefault } from "./chat-models-set-default.ts";
import { chatModelsUpdate } from "./chat-models-update.ts";
import { chatNew } from "./chat-new.ts";
import { chatPin } from "./chat-pin.ts";
import { chatQueueDelete } from "./chat-queue-delete.ts";
import { chatQueueEdit } from "./chat-queue-edit.ts";
import { chatQueueList } from "./chat-queue-list.ts";
import { chatQueueMove } from "./chat-queue-move.ts";
import { chatQueuePromote } from "./chat-queue-promote.ts";
import { chatRename } from "./chat-rename.ts";
import { chatSend } from "./chat-send.ts";
import { chatSettingsSet } from "./chat-settings-set.ts";
import { chatSettingsShow } from "./chat-settings-show.ts";
import { chatShare } from "./chat-share.ts";
import { chatShow } from "./chat-show.ts";
import { chatUnarchive } from "./chat-unarchive.ts";
import { configShow } from "./config-show.ts";
import { cp } from "./cp.ts";
import { exec } from "./exec.ts";
import { login } from "./login.ts";
import { logout } from "./logout.ts";
import { logs } from "./logs.ts";
import { mcpServersConnect } from "./mcp-servers-connect.ts";
import { mcpServersCreate } from "./mcp-servers-create.ts";
import { mcpServersDelete } from "./mcp-servers-delete.ts";
import { mcpServersDisconnect } from "./mcp-servers-disconnect.ts";
import { mcpServersList } from "./mcp-servers-list.ts";
import { mcpServersTest } from "./mcp-servers-test.ts";
import { mcpServersUpdate } from "./mcp-servers-update.ts";
import { portForward } from "./port-forward.ts";
import { preview } from "./preview.ts";
import { providersCreate } from "./providers-create.ts";
import { providersDelete } from "./providers-delete.ts";
import { providersDisable } from "./providers-disable.ts";
import { providersEdit } from "./providers-edit.ts";
import { providersEnable } from "./providers-enable.ts";
import { providersKeysAdd } from "./providers-keys-add.ts";
import { providersKeysDisable } from "./providers-keys-disable.ts";
import { providersKeysEnable } from "./providers-keys-enable.ts";
import { providersKeysList } from "./providers-keys-list.ts";
import { providersKeysMove } from "./providers-keys-move.ts";
import { providersKeysRemove } from "./providers-keys-remove.ts";
import { providersKeysReset } from "./providers-keys-reset.ts";
import { providersList } from "./providers-list.ts";
import { providersShow } from "./providers-show.ts";
import { providersStatus } from "./providers-status.ts";
import { providersTest } from "./providers-test.ts";
import { server } from "./server.ts";
import { sessionsList } from "./sessions-list.ts";
import { sessionsRevoke } from "./sessions-revoke.ts";
import { terminal } from "./terminal.ts";
import { tokensCreate } from "./tokens-create.ts";
import { tokensList } from "./tokens-list.ts";
import { tokensRemove } from "./tokens-remove.ts";
import { tokensView } from "./tokens-view.ts";
import { usage } from "./usage.ts";
import { usersActivate } from "./users-activate.ts";
import { usersCreate } from "./users-create.ts";
import { usersDelete } from "./users-delete.ts";
import { usersEditRoles } from "./users-edit-roles.ts";
import { usersList } from "./users-list.ts";
import { usersResetPassword } from "./users-reset-password.ts";
import { usersShow } from "./users-show.ts";
import { usersSuspend } from "./users-suspend.ts";
import { version } from "./version.ts";
import { whoami } from "./whoami.ts";
import { workspacesConnections } from "./workspaces-connections.ts";
import { workspacesCreate } from "./workspaces-create.ts";
import { workspacesDelete } from "./workspaces-delete.ts";
import { workspacesList } from "./workspaces-list.ts";
import { workspacesRename } from "./workspaces-rename.ts";
import { workspacesShow } from "./workspaces-show.ts";
import { workspacesToken } from "./workspaces-token.ts";

export const COMMANDS: readonly CommandDefinition[] = [
  server,
  login,
  logout,
  whoami,
  attachAgent,
  chatNew,
  chatSend,
  chatAttach,
  chatList,
  chatShow,
  chatInterrupt,
  chatEdit,
  chatRename,
  chatPin,
  chatShare,
  chatArchive,
  chatUnarchive,
  chatCompact,
  chatClear,
  chatCost,
  chatDebug,
  chatDiff,
  chatQueueList,
  chatQueueEdit,
  chatQueueMove,
  chatQueueDelete,
  chatQueuePromote,
  exec,
  cp,
  terminal,
  portForward,
  preview,
  logs,
  usersList,
  usersShow,
  usersCreate,
  usersDelete,
  usersSuspend,
  usersActivate,
  usersEditRoles,
  usersResetPassword,
  tokensCreate,
  tokensList,
  tokensView,
  tokensRemove,
  sessionsList,
  sessionsRevoke,
  providersList,
  providersStatus,
  providersShow,
  providersCreate,
  providersEdit,
  providersEnable,
  providersDisable,
  providersDelete,
  providersTest,
  providersKeysList,
  providersKeysAdd,
  providersKeysMove,
  providersKeysRemove,
  providersKeysDisable,
  providersKeysEnable,
  providersKeysReset,
  aiSessionsList,
  aiSessionsShow,
  aiInterceptionsList,
  aiModels,
  aiClients,
  usage,
  aiPricesList,
  aiPricesSet,
  aiPricesDelete,
  aiPricesApply,
  aiKeysList,
  aiKeysSet,
  aiKeysRemove,
  chatModelsList,
  chatModelsCreate,
  chatModelsUpdate,
  chatModelsSetDefault,
  chatModelsDelete,
  chatModelsOverridesList,
  chatModelsOverridesSet,
  chatSettingsShow,
  chatSettingsSet,
  chatLimitsShow,
  chatLimitsSet,
  chatLimitsUsersSet,
  chatLimitsUsersRemove,
  chatLimitsStatus,
  chatLimitsCosts,
  mcpServersList,
  mcpServersCreate,
  mcpServersUpdate,
  mcpServersDelete,
  mcpServersTest,
  mcpServersConnect,
  mcpServersDisconnect,
  workspacesList,
  workspacesShow,
  workspacesCreate,
  workspacesToken,
  workspacesRename,
  workspacesDelete,
  workspacesConnections,
  auditList,
  configShow,
  version,
];
