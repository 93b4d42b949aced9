-- Big append-only tables are partitioned by month and pruned by dropping partitions.

-- Makes the monthly partitions of `parent` from the month of `first` to the month of `last`.
-- A month whose rows already fell into the default partition is left there: they stay readable.
create function ensure_month_partitions(parent text, first date, last date) returns void
language plpgsql as $$
declare
  month date := date_trunc('month', first);
  partition_name text;
begin
  while month <= last loop
    partition_name := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
    if to_regclass(partition_name) is null then
      begin
        execute format(
          'create table %I partition of %I for values from (%L) to (%L)',
          partition_name, parent,
          to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
          to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
      exception
        when check_violation then null;
        when duplicate_table then null;
      end;
    end if;
    month := month + interval '1 month';
  end loop;
end $$;
