-- A path may have 4,096 bytes, and an entry of an index at most 2,704: so this index has the beginnings of paths, in the same order, and
-- a digest that tells long ones apart.
CREATE UNIQUE INDEX files_by_path ON files
    (reader, source_id, substr(path, 1, 600), (CASE WHEN char_length(path) > 600 THEN md5(path) ELSE '' END));
ALTER TABLE files DROP CONSTRAINT files_reader_source_id_path_key;
