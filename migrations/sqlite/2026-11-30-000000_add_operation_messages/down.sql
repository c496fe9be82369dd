DROP TABLE operation_messages;
