/**
 * The process's log: JSON lines for collectors, or coloured lines for people.
 *
 * Writes synchronously, so that nothing is lost when the process ends, however it ends. Errors are
 * written with their chain of causes, secrets as `[secret]`. A line's size is bounded by the depth
 * and the breadth of its fields.
 */
import type { Logger } from "@atelier/base/logger";
import { destination, pino, stdTimeFunctions, type DestinationStream } from "pino";
import { prettyFactory } from "pino-pretty";

export type LogLevel = "debug" | "info" | "warn" | "error";

export type LogOptions = {
  readonly format: "human" | "json";
  readonly level: LogLevel;
  /** Colours in the human format. */
  readonly colors?: boolean;
  /** Where lines go: standard error when not given, which leaves standard output to people. */
  readonly stream?: { write(line: string): void };
};

const STDERR = 2;
/** A guess: deeper or broader values are dumps, not facts. */
const FIELD_DEPTH_MAX = 6;
const FIELD_BREADTH_MAX = 100;
const CAUSES_MAX = 5;

/** Dispose it last: it flushes. */
export function startLogger(options: LogOptions): Logger & AsyncDisposable {
  const stderr = destination({ dest: STDERR, sync: true });
  const output = options.stream ?? stderr;
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      depthLimit: FIELD_DEPTH_MAX,
      edgeLimit: FIELD_BREADTH_MAX,
      // Errors are recognised by what they are, not by the name of their field.
      serializers: { err: (value: unknown) => value },
      formatters: { level: (label) => ({ level: label }), log: serializeErrors },
    },
    options.format === "json" ? output : forPeople(output, options.colors ?? false),
  );
  return Object.assign(wrap(root, options.level === "debug"), {
    [Symbol.asyncDispose]: async () => {
      stderr.flushSync();
    },
  });
}

/** Name, message, stack and code of an error and of what caused it. Other properties may hold data. */
export function serializeError(error: Error, causesMax = CAUSES_MAX): object {
  const code: unknown = "code" in error ? error.code : undefined;
  const inner = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const errors = inner.filter((each) => each instanceof Error).slice(0, causesMax);
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === "string" ? { code } : {}),
    ...(error.cause === undefined || causesMax === 0
      ? {}
      : { cause: toCause(error.cause, causesMax - 1) }),
    ...(errors.length === 0 || causesMax === 0
      ? {}
      : { errors: errors.map((each) => serializeError(each, causesMax - 1)) }),
  };
}

function toCause(cause: unknown, causesMax: number): unknown {
  return cause instanceof Error ? serializeError(cause, causesMax) : String(cause);
}

function serializeErrors(fields: object): Record<string, unknown> {
  if (fields instanceof Error) return { error: serializeError(fields) };
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? serializeError(value) : (value as unknown),
    ]),
  );
}

type PinoMethods = {
  [Level in LogLevel]: (fields: object, message: string) => void;
} & { child(fields: object): PinoMethods };

function wrap(log: PinoMethods, isDebug: boolean): Logger {
  return {
    isDebug,
    debug: (fields, message) => log.debug(unlessError(fields), message),
    info: (fields, message) => log.info(unlessError(fields), message),
    warn: (fields, message) => log.warn(unlessError(fields), message),
    error: (fields, message) => log.error(unlessError(fields), message),
    child: (fields) => wrap(log.child(serializeErrors(fields)), isDebug),
  };
}

/** pino has its own way with a bare error, which drops the causes' names. */
function unlessError(fields: object): object {
  return fields instanceof Error ? { error: fields } : fields;
}

/** Synchronous, unlike pino-pretty's own stream, which may hold lines back when the process ends. */
function forPeople(output: { write(line: string): void }, colorize: boolean): DestinationStream {
  const prettify = prettyFactory({
    colorize,
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
    errorLikeObjectKeys: ["error", "cause"],
  });
  return {
    write: (line) => {
      output.write(prettify(line));
    },
  };
}
