-- Takes the catalog away with everything in it, in the reverse order of the references.
DROP TABLE rejects;
DROP TABLE aggr;
DROP TABLE edits;
DROP TABLE shadowed;
DROP TABLE products;
DROP TABLE pages;
DROP TABLE files;
DROP TABLE sources;
