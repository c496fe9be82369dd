-- A database as the programs of 2026-11-25 left it, with rows in every table: two sources, uploads, one report, an edit.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO "__diesel_schema_migrations" VALUES('20261122000000','2026-11-28 07:14:31');
INSERT INTO "__diesel_schema_migrations" VALUES('20261124000000','2026-11-28 07:14:31');
INSERT INTO "__diesel_schema_migrations" VALUES('20261125000000','2026-11-28 07:14:31');
INSERT INTO "__diesel_schema_migrations" VALUES('20261125000001','2026-11-28 07:14:31');
CREATE TABLE aggr (
    name TEXT PRIMARY KEY NOT NULL,
    no_of_products BIGINT NOT NULL CHECK (no_of_products > 0)
) WITHOUT ROWID;
INSERT INTO "aggr" VALUES('ink',1);
INSERT INTO "aggr" VALUES('paper',1);
INSERT INTO "aggr" VALUES('pen',2);
INSERT INTO "aggr" VALUES('stands alone',1);
INSERT INTO "aggr" VALUES('uploaded',1);
CREATE TABLE edits (
    sku TEXT PRIMARY KEY NOT NULL,
    name TEXT,                          -- null: the winner's
    description TEXT,                   -- null: the winner's
    hidden BOOLEAN NOT NULL,
    stands BOOLEAN NOT NULL,            -- shown though no source offers it
    edited_at TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "edits" VALUES('9','stands alone','x',0,1,'2026-11-28T07:14:36.452Z');
CREATE TABLE "events" (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('applied', 'source', 'edit', 'report')),
    data TEXT NOT NULL                  -- JSON
);
INSERT INTO "events" VALUES(1,'2026-11-28T07:14:32.022Z','applied','{"added":3,"rejected":1,"removed":0,"seconds":0.101282622,"source":"north","updated":0,"version":"e087a1cf8bce2e0588ad69f69179873e"}');
INSERT INTO "events" VALUES(2,'2026-11-28T07:14:32.022Z','source','{"name":"north","state":"up"}');
INSERT INTO "events" VALUES(3,'2026-11-28T07:14:32.093Z','applied','{"added":1,"rejected":0,"removed":0,"seconds":0.205464986,"source":"south","updated":0,"version":"4dd955a3ab0169a00af07892765fc1b6"}');
INSERT INTO "events" VALUES(4,'2026-11-28T07:14:32.093Z','source','{"name":"south","state":"rejected"}');
INSERT INTO "events" VALUES(5,'2026-11-28T07:14:32.118Z','report','{"name":"sales","rejects":1,"rows":2,"seconds":0.073333746}');
INSERT INTO "events" VALUES(6,'2026-11-28T07:14:36.469Z','edit','{"sku":"9"}');
INSERT INTO "events" VALUES(7,'2026-11-28T07:14:36.970Z','applied','{"added":1,"rejected":0,"removed":0,"seconds":0.020781213,"source":"uploads","updated":0,"version":"2ff776cac1da5a4daf94e963d250f99b"}');
INSERT INTO "events" VALUES(8,'2026-11-28T07:14:36.971Z','source','{"name":"uploads","state":"up"}');
INSERT INTO "events" VALUES(9,'2026-11-28T07:14:37.507Z','applied','{"added":0,"rejected":0,"removed":0,"seconds":0.006058168,"source":"uploads","updated":0,"version":"1a5094a49ee894fc318e96f356b65511"}');
INSERT INTO "events" VALUES(10,'2026-11-28T07:14:37.507Z','source','{"name":"uploads","state":"rejected"}');
INSERT INTO "events" VALUES(11,'2026-11-28T07:14:37.594Z','applied','{"added":0,"rejected":0,"removed":0,"seconds":0.001048128,"source":"uploads","updated":0,"version":"2ff776cac1da5a4daf94e963d250f99b"}');
INSERT INTO "events" VALUES(12,'2026-11-28T07:14:37.594Z','source','{"name":"uploads","state":"up"}');
CREATE TABLE files (
    id INTEGER PRIMARY KEY NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    path TEXT NOT NULL,
    hash TEXT,
    reading TEXT,
    size_bytes BIGINT NOT NULL,
    row_count BIGINT NOT NULL,          -- rows in the accepted content, rejects included
    offers BIGINT NOT NULL,             -- distinct skus that it offers
    rejects BIGINT NOT NULL,            -- all of its rejects; the table `rejects` keeps at most 1,000 of them
    state TEXT NOT NULL CHECK (state IN ('applied', 'rejected', 'changing')),
    rejected_hash TEXT,
    rejected_reading TEXT,
    rejected_reason TEXT,
    UNIQUE (source_id, path)
);
INSERT INTO "files" VALUES(1,1,'products.csv','blake3:57b89bf564be081cf880b7dfbb5bf934940532e6840d0716e29941163fabdbf1','33d368884fa8cb8ceb111ca3d5ad55dd',64,4,3,1,'applied',NULL,NULL,NULL);
INSERT INTO "files" VALUES(2,2,'broken.csv',NULL,NULL,0,0,0,0,'rejected','blake3:a65206302f1a8a1704e527d1c54f0c37c9620c74cb275fe31b73f8153346ae99','33d368884fa8cb8ceb111ca3d5ad55dd','line 1: no column `sku` among `nothing`, `of`, `use`: name it in the header or map it in the configuration');
INSERT INTO "files" VALUES(3,2,'other.csv','blake3:26aa0cb8d572a38b98f1936fff7f57a89a13492ae6b5e1813f6b21ceae3bfeb6','33d368884fa8cb8ceb111ca3d5ad55dd',46,2,2,0,'applied',NULL,NULL,NULL);
INSERT INTO "files" VALUES(4,3,'up.csv','blake3:bad8a9981f67a2963f0da171a34d80e3d8cc48d4bea4eb24a16f49eca3c2dbe7','33d368884fa8cb8ceb111ca3d5ad55dd',21,1,1,0,'applied',NULL,NULL,NULL);
CREATE TABLE pages (
    file_id BIGINT NOT NULL REFERENCES files (id),
    first_sku TEXT NOT NULL,
    digest BLOB NOT NULL,               -- 16 bytes over `entries`, then 8 over `lines`
    entries BLOB NOT NULL,
    lines BLOB NOT NULL,                -- where in the file the rows stand; a row that only moved changes its page
                                        -- and no product
    PRIMARY KEY (file_id, first_sku)
);
INSERT INTO "pages" VALUES(1,'1',X'3EA8B7DC4899188E3F7ED4B0EC6743D1C1556C6F47F341E8',X'0131D9C9BCF4EB3E82D6013237EE86879FDEC29B01347CBD017881C4295D',X'040204');
INSERT INTO "pages" VALUES(3,'1',X'B71F98357C2A6F4D866E98A33C1BCED79ACDB528041C2B90',X'01317BD201DE32C0F68A0135FCF165E2D231AF24',X'0402');
INSERT INTO "pages" VALUES(4,'u1',X'F7C322932ECC5572328C7E05091437080C389A743E34FDA4',X'0275312588E81F743F9BE2',X'04');
CREATE TABLE partials (
    reported_file_id BIGINT NOT NULL REFERENCES reported_files (id),
    part_no BIGINT NOT NULL,            -- from 0, without gaps
    body BLOB NOT NULL,
    PRIMARY KEY (reported_file_id, part_no)
);
INSERT INTO "partials" VALUES(1,0,X'5B5B22426F6F6B73225D2C312C5B22312032352031225D5D0A5B5B22546F7973225D2C322C5B22322031322030225D5D0A');
CREATE TABLE products (
    sku TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    file_id BIGINT,                     -- the file of the winning offer; null for a product that an edit lets stand
                                        -- alone. Not declared as a reference: checking it costs a look-up a row, and
                                        -- a file is only deleted after its offers
    edited BOOLEAN NOT NULL             -- an edit lies over the offer; the offer itself is then in `shadowed`
) WITHOUT ROWID;
INSERT INTO "products" VALUES('1','pen','blue',1,0);
INSERT INTO "products" VALUES('2','ink','black',1,0);
INSERT INTO "products" VALUES('4','pen','two
lines',1,0);
INSERT INTO "products" VALUES('5','paper','',3,0);
INSERT INTO "products" VALUES('9','stands alone','x',NULL,1);
INSERT INTO "products" VALUES('u1','uploaded','',4,0);
CREATE TABLE rejects (
    id INTEGER PRIMARY KEY NOT NULL,
    file_id BIGINT NOT NULL REFERENCES files (id),
    whole_file BOOLEAN NOT NULL,
    line BIGINT NOT NULL,               -- the first line is 1
    byte_offset BIGINT NOT NULL,        -- the first byte is 0
    reason TEXT NOT NULL,
    raw TEXT NOT NULL                   -- cut at 1 KiB
);
INSERT INTO "rejects" VALUES(1,1,0,4,44,'1 field where the header has 3','3');
INSERT INTO "rejects" VALUES(2,2,1,1,0,'the file is rejected: no column `sku` among `nothing`, `of`, `use`: name it in the header or map it in the configuration','nothing,of,use');
CREATE TABLE "report_sales" ("Department Name" TEXT NOT NULL, "rows", "total", PRIMARY KEY ("Department Name")) WITHOUT ROWID;
INSERT INTO "report_sales" VALUES('Books',1,2.5);
INSERT INTO "report_sales" VALUES('Toys',2,12);
CREATE TABLE reported_files (
    id INTEGER PRIMARY KEY NOT NULL,
    report TEXT NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    path TEXT NOT NULL,
    hash TEXT,
    reading TEXT,
    row_count BIGINT NOT NULL,          -- rows in the accepted content, rejects included
    passed_over BIGINT NOT NULL,        -- of those, the ones that the report's filter leaves out
    rejects BIGINT NOT NULL,            -- of those, the ones that could not be used; `reported_rejects` keeps a part of them
    "groups" BIGINT NOT NULL,           -- groups of the partial
    state TEXT NOT NULL CHECK (state IN ('applied', 'rejected')),
    rejected_hash TEXT,
    rejected_reading TEXT,
    rejected_reason TEXT,
    UNIQUE (report, source_id, path)
);
INSERT INTO "reported_files" VALUES(1,'sales',1,'sales-1.csv','blake3:d2f8ba9a4672c95048c09529ab9611d20329ae338f2fa9ebebbb339b88d8bf9f','4f3d5fbfda6ec987587966892fd1dd2e',4,0,1,2,'applied',NULL,NULL,NULL);
CREATE TABLE reported_rejects (
    id INTEGER PRIMARY KEY NOT NULL,
    reported_file_id BIGINT NOT NULL REFERENCES reported_files (id),
    whole_file BOOLEAN NOT NULL,
    line BIGINT NOT NULL,               -- the first line is 1
    byte_offset BIGINT NOT NULL,        -- the first byte is 0
    reason TEXT NOT NULL,
    raw TEXT NOT NULL                   -- cut at 1 KiB
);
INSERT INTO "reported_rejects" VALUES(3,1,0,4,37,'`Amount` is not a number: `x`','Books,x');
CREATE TABLE reports (
    name TEXT PRIMARY KEY NOT NULL,
    digest TEXT NOT NULL,               -- of the specification
    "groups" BIGINT NOT NULL,           -- rows of the table
    computed_at TEXT NOT NULL,
    standing TEXT NOT NULL              -- JSON: the sources' versions that it stands at
) WITHOUT ROWID;
INSERT INTO "reports" VALUES('sales','11d36730328b4b585ded9264b3322776',2,'2026-11-28T07:14:32.118Z','{"north":"e087a1cf8bce2e0588ad69f69179873e","south":"4dd955a3ab0169a00af07892765fc1b6","uploads":"2ff776cac1da5a4daf94e963d250f99b"}');
CREATE TABLE shadowed (
    sku TEXT NOT NULL,
    file_id BIGINT NOT NULL,
    deletes BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (sku, file_id)
) WITHOUT ROWID;
INSERT INTO "shadowed" VALUES('1',3,0,'quill','feather');
CREATE TABLE sources (
    id INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,          -- its identity; the URL may change
    url TEXT NOT NULL,
    priority BIGINT NOT NULL,           -- higher wins
    position BIGINT NOT NULL,           -- in the configuration; among equal priorities the later wins
    version TEXT,                       -- the last version that was applied as a whole; null before the first
    state TEXT NOT NULL CHECK (state IN ('unknown', 'up', 'down', 'rejected')),
    error TEXT,                         -- why the last pass failed; null when it did not
    last_sensed TEXT,
    last_applied TEXT
);
INSERT INTO "sources" VALUES(1,'north','http://127.0.0.1:5741/',1,0,'e087a1cf8bce2e0588ad69f69179873e','up',NULL,'2026-11-28T07:14:31.920Z','2026-11-28T07:14:32.022Z');
INSERT INTO "sources" VALUES(2,'south','http://127.0.0.1:5742/',0,1,'4dd955a3ab0169a00af07892765fc1b6','rejected',NULL,'2026-11-28T07:14:31.887Z','2026-11-28T07:14:32.093Z');
INSERT INTO "sources" VALUES(3,'uploads','file:///srv/tributary/database.db.uploads',0,2,'2ff776cac1da5a4daf94e963d250f99b','up',NULL,'2026-11-28T07:14:37.593Z','2026-11-28T07:14:37.594Z');
CREATE TABLE tally (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    products BIGINT NOT NULL CHECK (products >= 0),
    names BIGINT NOT NULL CHECK (names >= 0)
);
INSERT INTO "tally" VALUES(1,6,5);
CREATE TABLE uploads (
    id TEXT PRIMARY KEY NOT NULL,       -- 32 hex digits
    filename TEXT NOT NULL,             -- the file's path in the source `uploads`
    state TEXT NOT NULL CHECK (state IN ('receiving', 'queued', 'complete', 'failed')),
    bytes BIGINT NOT NULL,              -- of the body; 0 until all of it was there
    hash TEXT,                          -- of the content; null until all of it was there
    replaces BOOLEAN NOT NULL,          -- whether it took the place of a file, which is kept until it is complete
    row_count BIGINT NOT NULL,          -- rows that were read, rejects included
    rejects BIGINT NOT NULL,            -- those that could not be used
    error TEXT,                         -- why it failed; null if it did not
    created_at TEXT NOT NULL,
    finished_at TEXT                    -- null while it is under way
);
INSERT INTO "uploads" VALUES('7fee0a36b63e828b635c43f3f6446408','up.csv','complete',21,'blake3:bad8a9981f67a2963f0da171a34d80e3d8cc48d4bea4eb24a16f49eca3c2dbe7',0,1,0,NULL,'2026-11-28T07:14:36.781Z','2026-11-28T07:14:36.983Z');
INSERT INTO "uploads" VALUES('d43a66b58a1806f87b4b9cd5e293b792','bad.csv','failed',6,'blake3:9cab914e70e13ac500d12836059abbf3857b6a9c473cce0655f44d8be2970100',0,0,0,'line 1: no column `sku` among `a`, `b`: name it in the header or map it in the configuration','2026-11-28T07:14:37.356Z','2026-11-28T07:14:37.548Z');
CREATE INDEX rejects_by_file ON rejects (file_id);
CREATE INDEX reported_rejects_by_file ON reported_rejects (reported_file_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',12);
COMMIT;
