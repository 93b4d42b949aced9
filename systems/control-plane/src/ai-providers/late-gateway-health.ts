/**
 * The gateway of this process, which starts after the control plane or not at all. Until it is
 * known, nothing is known of its keys and breakers.
 */
import type {
  BreakerHealth,
  GatewayHealth,
  ProviderKeyHealth,
} from "@atelier/contract/rpc/gateway-ports";

export class LateGatewayHealth implements GatewayHealth {
  #gateway: GatewayHealth | null = null;

  observe(gateway: GatewayHealth): void {
    this.#gateway = gateway;
  }

  keysOf(providerId: string): readonly ProviderKeyHealth[] {
    return this.#gateway?.keysOf(providerId) ?? [];
  }

  breakersOf(providerId: string): readonly BreakerHealth[] {
    return this.#gateway?.breakersOf(providerId) ?? [];
  }

  waitingOf(providerId: string): number {
    return this.#gateway?.waitingOf(providerId) ?? 0;
  }

  resetKey(providerId: string, keyId: string): void {
    this.#gateway?.resetKey(providerId, keyId);
  }
}
