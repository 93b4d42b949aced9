/**
 * How a token record is priced, as pieces of the statements that write it. The price is the one in
 * force when the request began, and the tier the last that its whole prompt reaches. Every category
 * is cut to whole micro-dollars by itself, so that the parts add up to the whole (spec gateway 9.7).
 */

/** Above ten million dollars a count or a price is broken. */
const COST_MICROS_MAX = 10_000_000_000_000;

/**
 * Joins `price` and `tier`. `record` is the alias of the token record, `request` of its interception;
 * `at` is the moment whose prices count.
 */
export function joinPrice(record: string, request: string, at: string): string {
  return `
  left join lateral (
    select p.id
    from ai_model_prices p
    where p.provider = ${request}.provider and p.model = ${request}.model
      and p.valid_from <= ${at} and (p.valid_to is null or p.valid_to > ${at})
    order by p.origin = 'override' desc
    limit 1
  ) as price on true
  left join lateral (
    select step.input, step.output, step.cache_read, step.cache_write,
      coalesce(step.cache_write_1h, step.cache_write) as cache_write_1h
    from ai_price_tiers step
    where step.price_id = price.id and step.from_tokens <= ${record}.input_tokens
      + ${record}.cache_read_input_tokens + ${record}.cache_write_input_tokens
    order by step.from_tokens desc
    limit 1
  ) as tier on true`;
}

/** Null when a price that it needs is not known. */
export function costOf(record: string): string {
  const long = `least(${record}.cache_write_input_tokens, greatest(0, trunc(coalesce(
    (${record}.metadata ->> 'cache_ephemeral_1h_input')::numeric, 0))))`;
  const sum = [
    part(`${record}.input_tokens`, "input"),
    part(`${record}.output_tokens`, "output"),
    part(`${record}.cache_read_input_tokens`, "cache_read"),
    part(`(${record}.cache_write_input_tokens - ${long})`, "cache_write"),
    part(long, "cache_write_1h"),
  ].join(" + ");
  // Sound has prices of its own, which nobody tells us.
  return `(
    select case when summed.cost <= ${COST_MICROS_MAX} then summed.cost::bigint end
    from (select ${sum} as cost) as summed
    where not ${record}.metadata ?| array['prompt_audio', 'completion_audio'])`;
}

function part(tokens: string, price: string): string {
  return `case when ${tokens} = 0 then 0 else div(${tokens}::numeric * tier.${price}, 1000000) end`;
}

/** The beginning of the quarter of an hour. */
export function quarterOf(time: string): string {
  return `date_bin('15 minutes', ${time}, '2000-01-01 00:00:00+00')`;
}
