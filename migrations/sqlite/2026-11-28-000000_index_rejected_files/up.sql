-- Finds the rejected files of a source without reading the others. Files that are not rejected have no entry in it.
CREATE INDEX rejected_files ON files (source_id) WHERE state = 'rejected';
