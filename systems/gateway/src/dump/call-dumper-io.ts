/** Makes the dumps of calls, where an operator has named a directory for them. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { BoundedNames } from "../labels/bounded-names.ts";
import type { CallObserver } from "../observers/call-observer.ts";
import { CallDump } from "./call-dump-io.ts";
import { DumpFiles } from "./dump-files-io.ts";
import { interceptionDumpPath, passthroughDumpPath } from "./dump-path.ts";

/** Folders of one provider: clients name models as they like. */
const MODEL_FOLDERS_MAX = 200;
const SALT_LENGTH = 4;
/** After the last call, for what is still to be written. */
const CLOSE_MS_MAX = 2_000;

export type CallDumperDeps = {
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

export class CallDumper implements AsyncDisposable {
  readonly #deps: CallDumperDeps;
  readonly #files: DumpFiles;
  readonly #models = new Map<string, BoundedNames>();

  constructor(deps: CallDumperDeps) {
    this.#deps = deps;
    this.#files = new DumpFiles(deps);
  }

  bridged(provider: string): CallObserver {
    return this.#dump(({ id, model, startedAt }) =>
      interceptionDumpPath({
        provider,
        model: this.#modelsOf(provider).labelOf(model),
        interceptionId: id,
        startedAt,
      }),
    );
  }

  /** `path`: after the provider's name, without the query. */
  passthrough(provider: string, path: string): CallObserver {
    const { clock, random } = this.#deps;
    const salt = random.uuid().slice(0, SALT_LENGTH);
    return this.#dump(passthroughDumpPath({ provider, path, startedAt: clock.now(), salt }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files.close(CLOSE_MS_MAX);
  }

  #dump(path: ConstructorParameters<typeof CallDump>[0]["path"]): CallObserver {
    const { log } = this.#deps;
    return new CallDump({
      createFile: (each) => this.#files.create(each),
      path,
      onCrash: (error) => log.error({ error }, "an api dump crashed"),
    });
  }

  #modelsOf(provider: string): BoundedNames {
    const known = this.#models.get(provider);
    if (known !== undefined) return known;
    const names = new BoundedNames({ namesMax: MODEL_FOLDERS_MAX, unprovenMax: MODEL_FOLDERS_MAX });
    this.#models.set(provider, names);
    return names;
  }
}
