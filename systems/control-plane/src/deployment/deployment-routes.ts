/** The server itself over HTTP: its build and its options. */
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/deployment";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";

export type OptionRow = z.input<
  typeof contract.getDeploymentConfig.success.body
>["options"][number];

export type DeploymentFacts = {
  readonly version: string;
  /** Where people reach this deployment, without a slash at the end. */
  readonly accessUrl: string;
  readonly deploymentId: string;
  /** Secrets are masked by whoever makes the rows. */
  readonly optionRows: readonly OptionRow[];
};

export function deploymentRoutes(facts: DeploymentFacts): Route[] {
  const { version, accessUrl, deploymentId, optionRows } = facts;
  return [
    route(contract.buildInfo, async () =>
      ok({
        version,
        external_url: accessUrl,
        dashboard_url: accessUrl,
        deployment_id: deploymentId,
      }),
    ),

    route(contract.getDeploymentConfig, async () =>
      ok({ options: [...optionRows], count: optionRows.length }),
    ),
  ];
}
