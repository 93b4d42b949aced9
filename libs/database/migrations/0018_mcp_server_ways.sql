-- How a tool server is asked, and whether models say what each call is for.

alter table mcp_servers add column transport text not null default 'streamable_http'
  check (transport in ('streamable_http', 'sse'));
alter table mcp_servers add column model_intent boolean not null default false;
