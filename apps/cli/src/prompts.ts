/** Questions to a person. They are asked on stderr, so an answer on stdout can still be piped. */
import { confirm, isCancel, password, text } from "@clack/prompts";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { cancelledFailure, type CliFailure } from "./cli-failure.ts";

export type Prompts = {
  /** `preset` is taken by pressing Enter. */
  text(question: string, preset?: string): Promise<Result<string, CliFailure>>;
  /** What is typed is not shown. An empty answer is an empty secret. */
  secret(question: string): Promise<Result<Secret, CliFailure>>;
  /** Enter means no. */
  confirm(question: string): Promise<Result<boolean, CliFailure>>;
};

export function terminalPrompts(): Prompts {
  const output = process.stderr;
  return {
    text: async (message, preset) => {
      const answer = await text({
        message,
        output,
        ...(preset === undefined ? {} : { placeholder: preset, defaultValue: preset }),
        validate: (value) =>
          preset === undefined && (value ?? "").trim() === "" ? "Please answer." : undefined,
      });
      return isCancel(answer) ? fail(cancelledFailure()) : ok(answer.trim());
    },
    secret: async (message) => {
      const answer = await password({ message, output });
      // The library gives undefined when Enter is pressed at once.
      return isCancel(answer) ? fail(cancelledFailure()) : ok(new Secret(answer ?? ""));
    },
    confirm: async (message) => {
      const answer = await confirm({ message, output, initialValue: false });
      return isCancel(answer) ? fail(cancelledFailure()) : ok(answer);
    },
  };
}
