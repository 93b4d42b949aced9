/** Who asks is taken for whom this server let in before: nothing is changed or told until that is proven. */
import type { ServiceCallerProof, ServiceCondition } from "@atelier/contract/rpc/endpoint-service";
import type { Actor, ChatSubject } from "../access/actor.ts";

export type AssumedActor = {
  readonly actor: Actor;
  /** As this person found it. Undefined: there was no such chat. */
  readonly chat: ChatSubject | undefined;
  /** Nothing has changed since, about the credential, its user or the chat. */
  readonly condition: ServiceCondition;
  /** To be called once that is known. */
  readonly entered: () => void;
  /** Looks whether it is so. */
  readonly look: () => Promise<boolean>;
};

export class ActorProof implements ServiceCallerProof {
  readonly assumed: AssumedActor;
  #isProven = false;

  constructor(assumed: AssumedActor) {
    this.assumed = assumed;
  }

  get isProven(): boolean {
    return this.#isProven;
  }

  get condition(): ServiceCondition {
    return this.assumed.condition;
  }

  proven(): void {
    this.#isProven = true;
    this.assumed.entered();
  }

  async prove(): Promise<void> {
    if (this.#isProven) return;
    if (!(await this.assumed.look())) throw new ActorChanged("who asks is not who they were");
    this.#isProven = true;
  }
}

export class ActorChanged extends Error {
  override readonly name = "ActorChanged";
}
