ALTER TABLE files ADD CONSTRAINT files_reader_source_id_path_key UNIQUE (reader, source_id, path);
DROP INDEX files_by_path;
