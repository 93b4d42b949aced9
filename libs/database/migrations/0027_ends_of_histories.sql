-- Where a history begins for the model, where its turn begins, and what was answered last stand near its end.
-- They are found without reading what lies before, however long a chat is.
create index chat_messages_boundary on chat_messages (chat_id, id)
  where compressed and visibility = 'model' and not deleted;
create index chat_messages_asked on chat_messages (chat_id, id)
  where role = 'user' and visibility <> 'model' and not deleted;
create index chat_messages_answered on chat_messages (chat_id, id)
  where role = 'assistant' and visibility <> 'model' and not deleted;
