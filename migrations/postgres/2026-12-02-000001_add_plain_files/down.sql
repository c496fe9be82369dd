DROP TABLE plain_files;
