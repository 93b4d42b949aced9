/** Answers that are wanted only sometimes, or read only once: what comes later comes by a stream. */
import type { CallAnswer, CallInput } from "@atelier/contract/client";
import type { Endpoint } from "@atelier/contract/endpoint";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { ApiProblemError } from "../../api/api-problem-error.ts";
import { keyOf, useChange } from "../../api/use-endpoint.ts";

type Reading = {
  readonly isWanted?: boolean;
  readonly everyMs?: number;
};

export function useReading<E extends Endpoint>(
  endpoint: E,
  input: CallInput<E>,
  { isWanted = true, everyMs }: Reading,
): UseQueryResult<CallAnswer<E>> {
  const read = useChange(endpoint);
  return useQuery<CallAnswer<E>>({
    queryKey: keyOf(endpoint, input),
    queryFn: async () => {
      const outcome = await read(input);
      if (!outcome.ok) throw new ApiProblemError(outcome.failure);
      return outcome.value;
    },
    enabled: isWanted,
    ...(everyMs === undefined
      ? { staleTime: Infinity, refetchOnWindowFocus: false }
      : { refetchInterval: everyMs }),
  });
}
