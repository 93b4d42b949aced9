/** Endpoints of the contract in components: answers that are read and kept, and changes. */
import type { Result } from "@atelier/base/result";
import {
  apiClient,
  type ApiProblem,
  type CallAnswer,
  type CallInput,
} from "@atelier/contract/client";
import type { Endpoint } from "@atelier/contract/endpoint";
import {
  keepPreviousData,
  QueryClient,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useCallback } from "react";
import { browserSend } from "../browser/host.ts";
import { ApiProblemError, problemOf } from "./api-problem-error.ts";
import { mayReadAgain, readAgainInMs } from "./retry.ts";

/** An answer this young is not asked for again when a page opens. */
const FRESH_MS = 2_000;

const client = apiClient(browserSend);

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        retry: (failures, error) => mayReadAgain(failures, problemOf(error)),
        retryDelay: (failures, error) => readAgainInMs(failures, problemOf(error)),
        throwOnError: false,
      },
    },
  });
}

export type ReadOptions = {
  /** Asks again this often while the page is looked at. */
  readonly everyMs?: number;
  /** False: nothing is asked for yet. */
  readonly isWanted?: boolean;
  /** Shows the former answer while that of another question is on its way, so that nothing jumps. */
  readonly keepsFormer?: boolean;
};

export function useEndpoint<E extends Endpoint>(
  endpoint: E,
  input: CallInput<E>,
  { everyMs, isWanted = true, keepsFormer = false }: ReadOptions = {},
): UseQueryResult<CallAnswer<E>> {
  return useQuery<CallAnswer<E>>({
    enabled: isWanted,
    queryKey: keyOf(endpoint, input),
    queryFn: ({ signal }) => readAnswer(endpoint, input, signal),
    ...(keepsFormer ? { placeholderData: keepPreviousData } : {}),
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
  });
}

/** A list that is read page by page. `nextInput` says how the page after one is asked for; null ends. */
export function usePages<E extends Endpoint>(
  endpoint: E,
  input: CallInput<E>,
  nextInput: (last: CallAnswer<E>) => CallInput<E> | null,
  { everyMs, keepsFormer = false }: ReadOptions = {},
): UseInfiniteQueryResult<InfiniteData<CallAnswer<E>>> {
  return useInfiniteQuery({
    queryKey: [...keyOf(endpoint, input), "pages"],
    queryFn: ({ pageParam, signal }) => readAnswer(endpoint, pageParam as CallInput<E>, signal),
    initialPageParam: input,
    getNextPageParam: nextInput,
    ...(keepsFormer ? { placeholderData: keepPreviousData } : {}),
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
  });
}

/** Makes a change; `renews` are the endpoints whose kept answers may be wrong after it. */
export function useChange<E extends Endpoint>(
  endpoint: E,
  renews: readonly Endpoint[] = [],
): (input: CallInput<E>) => Promise<Result<CallAnswer<E>, ApiProblem>> {
  const queryClient = useQueryClient();
  return useCallback(
    async (input) => {
      const outcome = await client.call(endpoint, input);
      if (outcome.ok) await renewAnswers(queryClient, renews);
      else if (outcome.failure.code === "request.unauthenticated") sessionEnded();
      return outcome;
    },
    // Endpoints are constants of the contract, and lists of them are written in place.
    // oxlint-disable-next-line react/exhaustive-deps
    [endpoint, queryClient],
  );
}

const onSessionEnd = new Set<() => void>();
/** As the latest answers told. */
let isSessionOver = false;

/** Hears of each request that is refused for want of a session, and of the last one, if it was. */
export function onSessionEnded(listener: () => void): () => void {
  onSessionEnd.add(listener);
  if (isSessionOver) listener();
  return () => onSessionEnd.delete(listener);
}

function sessionEnded(): void {
  isSessionOver = true;
  for (const listener of onSessionEnd) listener();
}

export async function renewAnswers(
  queryClient: QueryClient,
  endpoints: readonly Endpoint[],
): Promise<void> {
  await Promise.all(
    endpoints.map(({ path }) => queryClient.invalidateQueries({ queryKey: [path] })),
  );
}

export function keyOf<E extends Endpoint>(endpoint: E, input: CallInput<E>): readonly unknown[] {
  return [endpoint.path, endpoint.method, input];
}

async function readAnswer<E extends Endpoint>(
  endpoint: E,
  input: CallInput<E>,
  signal: AbortSignal,
): Promise<CallAnswer<E>> {
  const outcome = await client.call(endpoint, input, { signal });
  if (!outcome.ok) {
    if (outcome.failure.code === "request.unauthenticated") sessionEnded();
    throw new ApiProblemError(outcome.failure);
  }
  isSessionOver = false;
  return outcome.value;
}
