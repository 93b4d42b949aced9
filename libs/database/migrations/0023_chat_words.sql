-- What was said in chats, as words that can be searched. Made in the background from the messages: losing it
-- loses nothing. One row for each chat, however long, so that a search is as quick as there are chats.

create table chat_words (
  chat_id uuid primary key references chats (id) on delete cascade,
  -- The chat itself, or the one that began it: that is what is found.
  root_chat_id uuid not null references chats (id) on delete cascade,
  -- Of the chat when its words were read; another one now means they are old.
  history_version bigint not null,
  words tsvector not null
);

create index chat_words_words on chat_words using gin (words);
create index chat_words_root on chat_words (root_chat_id);
