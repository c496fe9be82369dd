DROP TABLE tally;
DROP TABLE events;
