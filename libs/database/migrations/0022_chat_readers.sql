-- With whom chats are shared: people who may look at them, and do nothing else. Children are read with
-- their root, so only roots have readers.

create table chat_readers (
  chat_id uuid not null references chats (id) on delete cascade,
  user_id uuid not null references users (id) on delete cascade,
  shared_at timestamptz not null,
  primary key (chat_id, user_id)
);

-- What is shared with a person.
create index chat_readers_user on chat_readers (user_id, chat_id);
