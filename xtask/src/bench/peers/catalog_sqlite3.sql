-- The same two tables with the sqlite3 shell alone: import feed.csv, keep the last row of each sku, count the names. Of several ways this
-- was the fastest: a temporary staging table, and later rows that replace earlier ones.
.bail on
.mode csv
create temp table staging(name text, sku text, description text);
.import --skip 1 --schema temp feed.csv staging
create table products(sku text primary key, name text not null, description text not null);
insert or replace into products select sku, name, description from staging order by rowid;
create table aggr(name text primary key, no_of_products integer not null);
insert into aggr select name, count(*) from products group by name;
.mode list
select 'products ' || (select count(*) from products) || ' names ' || (select count(*) from aggr);
