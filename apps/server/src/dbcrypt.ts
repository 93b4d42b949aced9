/**
 * `dbcrypt rotate`: puts all stored credentials under a new encryption key, then takes the old keys
 * out of service. Safe beside running servers that have all of the keys, and safe to repeat.
 */
import type { Result } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { rotateEncryptionKeys } from "@atelier/control-plane/rotate-encryption";
import { startLogger } from "@atelier/host/logs";
import { renderHelp } from "@atelier/host/option-texts";
import type { Option, OptionValues } from "@atelier/host/option";
import { parseOptions } from "@atelier/host/options";
import { printStartFailure } from "@atelier/host/run-until-signal";
import { encryptionKeyMistake, OPTIONS, processInputs } from "./config.ts";
import { findEncryptionKey } from "./encryption-key-file.ts";
import { openStorage } from "./open-storage.ts";
import { mistakesText } from "./start-texts.ts";

const ROTATION_OPTIONS = [
  {
    name: "new-key",
    kind: "secret",
    default: null,
    check: encryptionKeyMistake,
    group: "Rotation",
    description: "The key to encrypt with from here on: the base64 of 32 random bytes.",
  },
  {
    name: "old-keys",
    kind: "secrets",
    default: [],
    defaultText: "the external-token-encryption-keys, or the generated key in the data-dir",
    check: encryptionKeyMistake,
    group: "Rotation",
    description: "Every key that stored credentials may be encrypted with.",
  },
] as const satisfies readonly Option[];

/** The server's own options too: they say where the database is. */
const TABLE = [...ROTATION_OPTIONS, ...OPTIONS] as const;

const HELP_WIDTH = 100;
const CONNECTIONS_MAX = 2;
/** The server's options that this command uses; it accepts the others and ignores them. */
const USED = ["config", "data-dir", "external-token-encryption-keys", "postgres-url"];

/** Resolves with the exit code. */
export async function runDbcrypt(args: readonly string[]): Promise<number> {
  const [action] = args;
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(helpText());
    return 0;
  }
  if (action !== "rotate") {
    process.stderr.write(`dbcrypt has one action, rotate.\n\n${helpText()}`);
    return 1;
  }
  const inputs = processInputs(2);
  const parsed = parseOptions(TABLE, { ...inputs, environmentOfOthers: ["ATELIER_*"] });
  if (!parsed.ok) return refuse(parsed.failure);
  for (const warning of parsed.value.warnings) process.stderr.write(`Warning: ${warning}\n`);
  try {
    const outcome = await rotate(parsed.value.values);
    return outcome.ok ? 0 : refuse(outcome.failure);
  } catch (error) {
    printStartFailure(error);
    return 1;
  }
}

function refuse(mistakes: readonly string[]): number {
  process.stderr.write(mistakesText(mistakes));
  return 1;
}

async function rotate(
  values: OptionValues<typeof TABLE>,
): Promise<Result<void, readonly string[]>> {
  const { newKey, oldKeys, externalTokenEncryptionKeys: configured, dataDir, postgresUrl } = values;
  if (newKey === null) return { ok: false, failure: ["--new-key is missing"] };
  const generated = findEncryptionKey(dataDir);
  const known = [...oldKeys, ...configured];
  const before = known.length === 0 && generated !== null ? [generated] : known;

  await using log = startLogger({ format: "human", level: "warn" });
  await using resources = new AsyncDisposableStack();
  const clock = systemClock;
  const storage = { postgresUrl, dataDir, connectionsMax: CONNECTIONS_MAX };
  const database = await openStorage({ log, clock }, storage, resources);
  const others = before.filter((key) => key.reveal() !== newKey.reveal());
  const unique = [...new Map(others.map((key) => [key.reveal(), key])).values()];
  const keys = { newKey, oldKeys: unique };
  const done = await rotateEncryptionKeys({ database, clock }, keys, ({ column, rewrapped }) => {
    process.stdout.write(`${column}: ${rewrapped} under the new key\n`);
  });
  if (!done.ok) return done;
  process.stdout.write(
    `Done: ${done.value.rewrapped} values are under the new key, ` +
      `${done.value.revokedKeyIds.length} old keys are out of service.\n` +
      "Start every server with the new key alone in --external-token-encryption-keys.\n",
  );
  return { ok: true, value: undefined };
}

function helpText(): string {
  const shown = TABLE.filter(({ name, group }) => group === "Rotation" || USED.includes(name));
  return [
    "Usage: npm start -- dbcrypt rotate [options]",
    "",
    "Puts all stored credentials under a new encryption key and takes the old keys out of service.",
    "First restart every server with the new key in front of the old ones, so that all can read what",
    "any of them writes; rotate; then restart them with the new key alone.",
    "",
    renderHelp(shown, HELP_WIDTH),
  ].join("\n");
}
