/**
 * Lets a few tests of model providers run at the same time, once a gateway runs in this process that
 * can make them. A test costs money and holds connections: nobody needs many at once.
 */
import type { ProviderTester } from "@atelier/contract/rpc/gateway-ports";

/** Under way in this server. */
export const PROVIDER_TESTS_MAX = 2;

export type AdmittedTest = Disposable & { readonly tester: ProviderTester };

export class ProviderTestAdmission {
  #tester: ProviderTester | null = null;
  #underWay = 0;

  attach(tester: ProviderTester): void {
    this.#tester = tester;
  }

  /** The place is taken until it is disposed. */
  admit(): AdmittedTest | "busy" | "no_gateway" {
    const tester = this.#tester;
    if (tester === null) return "no_gateway";
    if (this.#underWay >= PROVIDER_TESTS_MAX) return "busy";
    this.#underWay += 1;
    return {
      tester,
      [Symbol.dispose]: () => {
        this.#underWay -= 1;
      },
    };
  }
}
