DROP INDEX rejected_files;
